package org.vmferry.engine.qmp;

import org.slf4j.Logger;
import org.vmferry.engine.Engine;
import org.vmferry.engine.transport.UnixTransport;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.Printable;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Lets a machine be migrated with QMP, QEMU's control protocol, over a unix domain socket: a script
 * that drives QEMU's migrations drives this host. What it understands is in docs/qmp.md.
 *
 * <p>One client at a time is served, further ones wait. Who can open the socket can have the
 * machine sent anywhere, and files written in this process' name: its directory's permissions are
 * all that protects it.
 *
 * <p>A machine in the run state {@link RunState#INMIGRATE} waits for migrate-incoming, as a QEMU
 * with {@code -incoming defer}. Clients are told of stops and starts that QMP or a migration of its
 * causes, not of those that the host causes itself.
 */
public final class QmpServer implements AutoCloseable {
    private static final Logger LOG = Log.of(QmpServer.class);

    private static final long RETRY_MS = 1000;

    private final Acceptor end;
    private final Monitor monitor;
    private final Migrations migrations;
    private final Thread thread;
    private Client client; // guarded by this
    private boolean closed; // guarded by this

    private QmpServer(Engine engine, Machine machine, Path socket, Runnable quit)
            throws IOException {
        monitor = new Monitor(quit);
        migrations = new Migrations(engine, new Guest(machine, monitor), monitor);
        Address address = new Address("unix", socket.toString());
        end = new UnixTransport().acceptor(address, Options.DEFAULTS);
        thread = new Thread(this::serve, Printable.line("qmp-" + socket.getFileName()));
        thread.setDaemon(true);
    }

    /**
     * Serves clients, in a thread of its own. The command quit is refused.
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
     * Serves clients, in a thread of its own.
     *
     * @param engine migrates it
     * @param machine the host's, which stays its own
     * @param socket where to listen; a socket there on which nobody listens is replaced
     * @param quit what the command quit does, in a thread of its own; it may close the server
     * @return the server, to be closed
     * @throws IOException if it can't listen there
     */
    public static QmpServer listen(Engine engine, Machine machine, Path socket, Runnable quit)
            throws IOException {
        QmpServer server = new QmpServer(engine, machine, socket, quit);
        try {
            server.thread.start();
            return server;
        } catch (RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    private void serve() {
        while (true) {
            try {
                if (!serve(end.accept())) return;
            } catch (IOException | RuntimeException | Error e) {
                if (!goesOn(e)) return;
            }
        }
    }

    /** Whatever was wrong with one client, or for a while, such as too many descriptors. */
    private synchronized boolean goesOn(Throwable why) {
        if (closed) return false;
        LOG.warn("{}: a client could not be served; the next is waited for", thread.getName(), why);
        try {
            wait(RETRY_MS);
        } catch (InterruptedException e) {
            // Nobody does that.
        }
        return !closed;
    }

    private boolean serve(Channel channel) throws IOException {
        Client next;
        try {
            next = new Client(channel, thread.getName());
        } catch (Error e) { // no thread is to be had
            channel.close();
            throw e;
        }
        return serve(next);
    }

    /** Until it goes; false if the server is closed. */
    private boolean serve(Client next) {
        try (next) {
            synchronized (this) {
                if (closed) return false;
                client = next;
            }
            monitor.client(next);
            next.read(new Framer(monitor));
        } catch (IOException | RuntimeException | Error e) {
            LOG.warn("{}: a client's connection failed", thread.getName(), e);
        } finally {
            monitor.client(null);
        }
        return true;
    }

    /**
     * Ends the client's connection, and a migration that QMP began: it is cancelled, unless it can
     * only complete, and waited for. The machine is left to its host. Closing twice does nothing.
     */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) return;
            closed = true;
            notifyAll();
            if (client != null) client.end();
        }
        end.release();
        Joined.all(List.of(thread));
        boolean interrupted = Thread.interrupted(); // which a close might mind
        end.close();
        migrations.close();
        if (interrupted) Thread.currentThread().interrupt();
    }
}
