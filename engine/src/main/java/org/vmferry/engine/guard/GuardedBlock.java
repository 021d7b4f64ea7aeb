package org.vmferry.engine.guard;

import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;

/** A host's RAM block. What it is asked for each page is called without reflection. */
final class GuardedBlock implements RamBlock {
    private final Guard guard;
    private final RamBlock target;

    GuardedBlock(Guard guard, RamBlock target) {
        this.guard = guard;
        this.target = target;
    }

    RamBlock target() {
        return target;
    }

    private <T> T call(String method, Guard.Call<T> call) {
        try {
            return guard.call(method, call);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String id() {
        return call("id", target::id);
    }

    @Override
    public long usedLength() {
        return call("usedLength", target::usedLength);
    }

    @Override
    public long maximumLength() {
        return call("maximumLength", target::maximumLength);
    }

    @Override
    public int pageSize() {
        return call("pageSize", target::pageSize);
    }

    @Override
    public OptionalLong guestAddress() {
        return call("guestAddress", target::guestAddress);
    }

    @Override
    public boolean shared() {
        return call("shared", target::shared);
    }

    @Override
    public boolean missing() {
        return call("missing", target::missing);
    }

    @Override
    public Optional<MemorySegment> memory() {
        return call("memory", target::memory);
    }

    @Override
    public void read(long offset, MemorySegment into) {
        call(
                "read",
                () -> {
                    target.read(offset, into);
                    return null;
                });
    }

    @Override
    public void write(long offset, MemorySegment source) {
        call(
                "write",
                () -> {
                    target.write(offset, source);
                    return null;
                });
    }

    @Override
    public boolean isFresh() {
        return call("isFresh", target::isFresh);
    }

    @Override
    public long pages() {
        return call("pages", target::pages);
    }

    @Override
    public String toString() {
        return guard.who();
    }
}
