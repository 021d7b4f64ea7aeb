package org.vmferry.engine.guard;

import org.vmferry.spi.ram.RamBlock;

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

    private void run(String method, Guard.Action action) {
        guard.plain(method, action.call());
    }

    private <T> T given(String method, Guard.Call<T> call) {
        return guard.plain(
                method,
                () -> {
                    T given = call.call();
                    if (given == null) throw guard.fault("gave nothing (null) from %s", method);
                    return given;
                });
    }

    @Override
    public String id() {
        return given("id", target::id);
    }

    @Override
    public long usedLength() {
        return guard.plain("usedLength", target::usedLength);
    }

    @Override
    public long maximumLength() {
        return guard.plain("maximumLength", target::maximumLength);
    }

    @Override
    public int pageSize() {
        return guard.plain("pageSize", target::pageSize);
    }

    @Override
    public OptionalLong guestAddress() {
        return given("guestAddress", target::guestAddress);
    }

    @Override
    public boolean shared() {
        return guard.plain("shared", target::shared);
    }

    @Override
    public boolean missing() {
        return guard.plain("missing", target::missing);
    }

    @Override
    public Optional<MemorySegment> memory() {
        return given("memory", target::memory);
    }

    @Override
    public void read(long offset, MemorySegment into) {
        run("read", () -> target.read(offset, into));
    }

    @Override
    public void write(long offset, MemorySegment source) {
        run("write", () -> target.write(offset, source));
    }

    @Override
    public boolean isFresh() {
        return guard.plain("isFresh", target::isFresh);
    }

    @Override
    public boolean isKnownZero(long offset, long bytes) {
        return guard.plain("isKnownZero", () -> target.isKnownZero(offset, bytes));
    }

    @Override
    public long pages() {
        return guard.plain("pages", target::pages);
    }

    @Override
    public String toString() {
        return guard.who();
    }
}
