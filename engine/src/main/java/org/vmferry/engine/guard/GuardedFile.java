package org.vmferry.engine.guard;

import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A transport's file. What it moves is compared with what it promises. */
final class GuardedFile implements PositionedFile {
    private final Guard guard;
    private final PositionedFile target;

    GuardedFile(Guard guard, PositionedFile target) {
        this.guard = guard;
        this.target = target;
    }

    @Override
    public long start() {
        return guard.plain("start", target::start);
    }

    @Override
    public int alignment() {
        return guard.plain("alignment", target::alignment);
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        guard.run("write", () -> target.write(source, position));
        if (source.hasRemaining()) {
            throw guard.fault(
                    "left %d bytes unwritten at %d and threw nothing",
                    source.remaining(), position);
        }
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        int before = into.remaining();
        int said = guard.call("read", () -> target.read(into, position));
        int moved = before - into.remaining();
        if (said == moved || said == -1 && moved == 0) return said;
        throw guard.fault(
                "says that it read %d bytes at %d, and read %d of %d",
                said, position, moved, before);
    }

    @Override
    public long size() throws IOException {
        return guard.call("size", target::size);
    }

    @Override
    public void resize(long size) throws IOException {
        guard.run("resize", () -> target.resize(size));
    }

    @Override
    public Optional<MemorySegment> map(long position, long length, Arena arena) throws IOException {
        return guard.call("map", () -> target.map(position, length, arena));
    }

    @Override
    public long nextData(long position) throws IOException {
        long next = guard.call("nextData", () -> target.nextData(position));
        if (next >= position) return next;
        throw guard.fault("says that data after %d begin at %d", position, next);
    }
}
