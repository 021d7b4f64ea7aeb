package org.vmferry.engine.guard;

import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A transport's channel, or a host's. One that does not keep to what a channel promises would be
 * taken for a peer that is silent, or lies; so what it says it moved is compared with what moved.
 */
final class GuardedChannel implements Channel, Lifeline {
    private final Guard guard;
    private final Channel target;

    GuardedChannel(Guard guard, Channel target) {
        this.guard = guard;
        this.target = target;
    }

    /** Checks what a call says that it moved. */
    private long moved(
            String method, ByteBuffer[] buffers, int from, int count, Guard.Call<Long> call)
            throws IOException {
        long before = remaining(buffers, from, count);
        long said = guard.call(method, call);
        long moved = before - remaining(buffers, from, count);
        boolean end = said == -1 && moved == 0 && method.equals("read");
        if (end || said == moved && (moved > 0 || before == 0)) return said;
        throw guard.fault(
                "says in %s that it moved %d bytes of %d, and moved %d: at least one is promised",
                method, said, before, moved);
    }

    private static long remaining(ByteBuffer[] buffers, int from, int count) {
        long sum = 0;
        for (int i = from; i < from + count; i++) sum += buffers[i].remaining();
        return sum;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        ByteBuffer[] one = {into};
        return (int) moved("read", one, 0, 1, () -> (long) target.read(into));
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) throws IOException {
        return moved("read", into, offset, length, () -> target.read(into, offset, length));
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        ByteBuffer[] one = {source};
        return (int) moved("write", one, 0, 1, () -> (long) target.write(source));
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        return moved("write", sources, offset, length, () -> target.write(sources, offset, length));
    }

    @Override
    public void shutdownOutput() throws IOException {
        guard.run("shutdownOutput", () -> target.shutdownOutput());
    }

    @Override
    public void release() {
        guard.end("release", () -> target.release());
    }

    @Override
    public void close() throws IOException {
        guard.run("close", () -> target.close());
    }

    /** The engine's own channels have it, and they need no guard. */
    @Override
    public boolean notice(long ms) throws IOException {
        return target instanceof Lifeline lifeline && lifeline.notice(ms);
    }

    @Override
    public boolean isOpen() {
        try {
            return guard.call("isOpen", target::isOpen);
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public String peer() {
        return text("peer", target::peer);
    }

    @Override
    public String origin() {
        return text("origin", target::origin);
    }

    /** For messages: one that can't be had is no reason to fail. */
    private String text(String method, Guard.Call<String> call) {
        String[] text = {""};
        guard.end(method, () -> text[0] = call.call());
        return text[0] == null ? "" : text[0];
    }
}
