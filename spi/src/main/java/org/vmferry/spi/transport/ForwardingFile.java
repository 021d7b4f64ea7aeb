package org.vmferry.spi.transport;

import org.vmferry.spi.Status;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;

/** A file that hands every call to another one; the base of those which do something more. */
@Status(Status.Level.EXPERIMENTAL)
public class ForwardingFile implements PositionedFile {
    /** The file underneath. */
    protected final PositionedFile real;

    /**
     * Over another file.
     *
     * @param real its maker closes it
     */
    public ForwardingFile(PositionedFile real) {
        this.real = Objects.requireNonNull(real, "real");
    }

    @Override
    public long start() {
        return real.start();
    }

    @Override
    public int alignment() {
        return real.alignment();
    }

    @Override
    public void write(ByteBuffer source, long position) throws IOException {
        real.write(source, position);
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        return real.read(target, position);
    }

    @Override
    public long size() throws IOException {
        return real.size();
    }

    @Override
    public void resize(long size) throws IOException {
        real.resize(size);
    }

    @Override
    public Optional<MemorySegment> map(long position, long length, Arena arena) throws IOException {
        return real.map(position, length, arena);
    }

    @Override
    public long nextData(long position) throws IOException {
        return real.nextData(position);
    }
}
