package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/**
 * A running command as a channel of one direction.
 *
 * <p>What it says besides goes into a file without a name, so that it needs no thread to listen and
 * never blocks. To let a thread go the command is killed with all its children: then the pipe ends.
 * It lives no longer than this process.
 */
final class ExecChannel implements Channel {
    private static final Logger LOG = Log.of(ExecChannel.class);

    private static final int CHUNK = 1 << 18;
    private static final int TAIL = 2000;
    private static final long GRACE_MS = 1000;

    private final Address address;
    private final Process process;
    private final FileChannel said;
    private final Watchdog watchdog;
    // Null in the direction that there is not.
    private final @Nullable OutputStream input;
    private final @Nullable InputStream output;
    private final byte[] chunk = new byte[CHUNK];
    private volatile boolean released;
    private volatile boolean closed;
    private volatile boolean inputEnded;
    // Closing a pipe's stream waits for whoever hangs in it.
    private volatile boolean busy;

    private ExecChannel(
            Address address,
            Process process,
            FileChannel said,
            Watchdog watchdog,
            boolean outgoing) {
        this.address = address;
        this.process = process;
        this.said = said;
        this.watchdog = watchdog;
        input = outgoing ? process.getOutputStream() : null;
        output = outgoing ? null : process.getInputStream();
    }

    static ExecChannel start(Address address, boolean outgoing) throws IOException {
        Path file = Files.createTempFile("vmferry-exec", ".log");
        FileChannel said = null;
        Watchdog watchdog = null;
        try {
            said = FileChannel.open(file, StandardOpenOption.READ);
            watchdog = new Watchdog();
            ProcessBuilder builder = new ProcessBuilder();
            builder.redirectError(ProcessBuilder.Redirect.appendTo(file.toFile()));
            if (outgoing) {
                builder.redirectOutput(ProcessBuilder.Redirect.appendTo(file.toFile()));
            } else {
                builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
            }
            Process process = watchdog.start(address.target(), builder);
            return new ExecChannel(address, process, said, watchdog, outgoing);
        } catch (IOException | RuntimeException | Error e) {
            if (watchdog != null) watchdog.close();
            if (said != null) said.close();
            if (!(e instanceof IOException io)) throw e;
            // The JDK may add advice, in lines.
            String words = String.valueOf(io.getMessage()).lines().findFirst().orElse("");
            throw Trouble.transport("can't start '" + address + "': " + words.strip(), io);
        } finally {
            forget(file);
        }
    }

    /** Its descriptors are all that is needed of it. */
    private static void forget(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            LOG.warn("'{}' stays behind: {}", file, e.toString());
        }
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        if (input == null) throw new IOException(address + " is read, not written to");
        check();
        int count = Math.min(source.remaining(), CHUNK);
        source.get(source.position(), chunk, 0, count);
        busy = true;
        try {
            input.write(chunk, 0, count);
            input.flush();
        } catch (IOException e) {
            check();
            // Its own words say more than "broken pipe".
            if (ended()) awaitSuccess();
            throw Trouble.transport("writing to " + address + ": " + e.getMessage(), e);
        } finally {
            busy = false;
        }
        source.position(source.position() + count);
        return count;
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        if (output == null) throw new IOException(address + " is written to, not read");
        check();
        int count;
        busy = true;
        try {
            count = output.read(chunk, 0, Math.min(target.remaining(), CHUNK));
        } catch (IOException e) {
            check();
            throw Trouble.transport("reading from " + address + ": " + e.getMessage(), e);
        } finally {
            busy = false;
        }
        check();
        if (count < 0) awaitSuccess();
        else target.put(chunk, 0, count);
        return count;
    }

    @Override
    public void shutdownOutput() throws IOException {
        if (input == null) return;
        check();
        inputEnded = true;
        try {
            input.close();
        } catch (IOException e) {
            check();
            throw Trouble.transport("ending " + address + ": " + e.getMessage(), e);
        }
    }

    /** Waits for its end. */
    void awaitSuccess() throws MigrationException {
        int code;
        try {
            code = process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException(Blame.USER, address + ": interrupted");
        }
        if (released) throw givenUp(address); // closed it may be: all was said
        if (code != 0) {
            throw new MigrationException(
                    Blame.TRANSPORT, "'%s' ended with code %d%s".formatted(address, code, tail()));
        }
    }

    private boolean ended() {
        try {
            return process.waitFor(GRACE_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private String tail() {
        try {
            long size = said.size();
            ByteBuffer end = ByteBuffer.allocate((int) Math.min(size, TAIL));
            while (end.hasRemaining() && said.read(end, size - end.remaining()) > 0) {}
            String text = new String(end.array(), StandardCharsets.UTF_8).strip();
            return text.isEmpty() ? "" : ": " + text;
        } catch (IOException e) {
            return "";
        }
    }

    private void check() throws MigrationException {
        if (released || closed) throw givenUp(address);
    }

    static MigrationException givenUp(Address address) {
        return new MigrationException(Blame.USER, "'" + address + "' was given up");
    }

    @Override
    public void release() {
        released = true;
        // The number of one that has ended may be another's by now.
        if (process.isAlive()) watchdog.bite(process);
    }

    @Override
    public boolean isOpen() {
        return !released && !closed;
    }

    /**
     * Ends it. A source's command that was not told the stream's end by {@link #shutdownOutput} is
     * killed: it must not take a part for the whole.
     */
    @Override
    public void close() throws IOException {
        if (busy || input != null && !inputEnded) release();
        closed = true;
        if (output != null && !busy) output.close();
    }

    /** Frees everything; a command that does not end by itself soon is killed. */
    void dispose() {
        try {
            close();
        } catch (IOException e) {
            // Nobody waits for these bytes.
        }
        if (!ended()) watchdog.bite(process);
        try (said;
                watchdog;
                InputStream in = process.getInputStream();
                InputStream err = process.getErrorStream();
                OutputStream out = process.getOutputStream()) {
            process.waitFor();
        } catch (IOException e) {
            // Nor for these.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String peer() {
        return address.toString();
    }
}
