package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.engine.Engine;
import org.vmferry.engine.transport.UnixTransport;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.Printable;
import org.vmferry.spi.Status;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Lets a machine be migrated with QMP, QEMU's control protocol, over a unix domain socket: a script
 * that drives QEMU's migrations drives this host. What it understands is in docs/qmp.md.
 *
 * <p>Some clients are served at once, further ones wait. Who can open the socket can have the
 * machine sent anywhere, and files written in this process' name: its directory's permissions are
 * all that protects it.
 *
 * <p>A machine in the run state {@link RunState#INMIGRATE} waits for migrate-incoming, as a QEMU
 * with {@code -incoming defer}. Clients are told of stops and starts that QMP or a migration of its
 * causes, not of those that the host causes itself.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class QmpServer implements AutoCloseable {
    private static final Logger LOG = Log.of(QmpServer.class);

    private static final long RETRY_MS = 1000;
    private static final long SAY_MS = 20_000;

    /** Clients served at once: each has two threads, and up to 8 MiB that wait for it. */
    static final int MOST_CLIENTS = 16;

    private final Acceptor end;
    private final Monitor monitor;
    private final Migrations migrations;
    private final Thread thread;
    private final Set<Client> clients = new HashSet<>(); // guarded by this
    private boolean closed; // guarded by this

    private QmpServer(
            Engine engine,
            Machine machine,
            Path socket,
            @Nullable Runnable quit,
            List<? extends QmpCommand> commands)
            throws IOException {
        monitor = new Monitor(quit);
        Guest guest = new Guest(machine, monitor);
        migrations = new Migrations(engine, guest, monitor);
        new HumanMonitor(guest, migrations, monitor);
        commands.forEach(monitor::command);
        Address address = new Address("unix", socket.toString());
        end = new UnixTransport().acceptor(address, Options.DEFAULTS);
        thread = new Thread(this::serve, Printable.line("qmp-" + socket.getFileName()));
        thread.setDaemon(true);
    }

    /**
     * Serves clients, in threads of its own. The command quit is refused.
     *
     * @param engine migrates it
     * @param machine the host's, which stays its own
     * @param socket where to listen; a socket there on which nobody listens is replaced
     * @return the server, to be closed
     * @throws IOException if it can't listen there
     */
    public static QmpServer listen(Engine engine, Machine machine, Path socket) throws IOException {
        return listen(engine, machine, socket, null);
    }

    /**
     * Serves clients, in threads of its own.
     *
     * @param engine migrates it
     * @param machine the host's, which stays its own
     * @param socket where to listen; a socket there on which nobody listens is replaced
     * @param quit what the command quit does, in a thread of its own; it may close the server. Null
     *     if quit is refused
     * @return the server, to be closed
     * @throws IOException if it can't listen there
     */
    public static QmpServer listen(
            Engine engine, Machine machine, Path socket, @Nullable Runnable quit)
            throws IOException {
        return listen(engine, machine, socket, quit, List.of());
    }

    /**
     * Serves clients, in threads of its own, with commands of the host's besides.
     *
     * @param engine migrates it
     * @param machine the host's, which stays its own
     * @param socket where to listen; a socket there on which nobody listens is replaced
     * @param quit what the command quit does, in a thread of its own; it may close the server. Null
     *     if quit is refused
     * @param commands the host's
     * @return the server, to be closed
     * @throws IOException if it can't listen there
     * @throws IllegalArgumentException if a command's name is none, or taken
     */
    public static QmpServer listen(
            Engine engine,
            Machine machine,
            Path socket,
            @Nullable Runnable quit,
            List<? extends QmpCommand> commands)
            throws IOException {
        QmpServer server = new QmpServer(engine, machine, socket, quit, commands);
        try {
            server.thread.start();
            return server;
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    private void serve() {
        while (awaitPlace()) {
            try {
                begin(end.accept());
            } catch (IOException | RuntimeException | Error e) {
                if (!goesOn(e)) return;
            }
        }
    }

    /** False if the server is closed. */
    private synchronized boolean awaitPlace() {
        while (clients.size() == MOST_CLIENTS && !closed) pause(0);
        return !closed;
    }

    private void begin(Channel channel) throws IOException {
        Client client = new Client(channel, monitor, thread.getName(), this::gone);
        synchronized (this) {
            if (closed) client.end();
            clients.add(client);
        }
        try {
            client.start();
        } catch (IOException | RuntimeException | Error e) {
            gone(client);
            throw e;
        }
    }

    private synchronized void gone(Client client) {
        clients.remove(client);
        notifyAll();
    }

    /** Whatever was wrong with one client, or for a while, such as too many descriptors. */
    private synchronized boolean goesOn(Throwable why) {
        if (closed) return false;
        LOG.warn("{}: a client could not be served; the next is waited for", thread.getName(), why);
        pause(RETRY_MS);
        return !closed;
    }

    private void pause(long ms) {
        try {
            wait(ms);
        } catch (InterruptedException e) {
            // Nobody does that.
        }
    }

    /**
     * Ends the clients' connections, and a migration that QMP began: it is cancelled, unless it can
     * only complete, and waited for, as are commands of the host's that clients have begun. The
     * machine is left to its host. Closing twice does nothing.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) return;
            closed = true;
            notifyAll();
        }
        end.release();
        Joined.all(List.of(thread)); // from now on there come no more
        List<Client> last;
        synchronized (this) {
            last = List.copyOf(clients);
        }
        last.forEach(Client::end);
        for (Client client : last) {
            while (!client.join(SAY_MS)) {
                LOG.warn(
                        "{}: its end waits for a command of a client, which does not return",
                        thread.getName());
            }
        }
        boolean interrupted = Thread.interrupted(); // which a close might mind
        end.close();
        migrations.close();
        if (interrupted) Thread.currentThread().interrupt();
    }
}
