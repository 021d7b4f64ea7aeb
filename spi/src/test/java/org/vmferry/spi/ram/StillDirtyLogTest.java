package org.vmferry.spi.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.doubles.Rams;

import java.util.List;
import java.util.function.Consumer;

/** A log that its host can't begin beside a CPU that stores. */
class StillDirtyLogTest {
    private final RamBlock ram = Rams.block("ram", 4, false);
    private final AtomicDirtyLog marks = new AtomicDirtyLog(List.of(ram));
    private Runnable half = () -> {};

    /** A store of the guest's that has looked whether logging is on, and not stored yet. */
    private void beginsToStore(long page) {
        boolean logged = marks.logging();
        half =
                () -> {
                    Rams.fill(ram, page, 7);
                    if (logged) marks.mark(ram, page);
                    half = () -> {};
                };
    }

    /** Stops the CPU where CPUs stop: between two instructions. */
    private void whileStopped(Runnable work) {
        half.run();
        work.run();
    }

    /** What the first round would copy, and what later rounds are told of. */
    private boolean reachesTheDestination(DirtyLog log, long page) {
        log.start();
        byte[] copied = Rams.page(ram, page);
        half.run();
        PageBitmap told = new PageBitmap(ram.pages());
        log.harvest(ram, told);
        log.stop();
        return told.get(page) || copied[0] == 7;
    }

    @Test
    @Tag("DLG-4")
    void aStoreThatIsUnderWayIsNotLost() {
        beginsToStore(1);
        assertThat(reachesTheDestination(marks, 1)).as("as the host has it").isFalse();
        beginsToStore(2);
        assertThat(reachesTheDestination(DirtyLog.startedStill(marks, this::whileStopped), 2))
                .isTrue();
    }

    @Test
    @Tag("DLG-8")
    void itStopsAndIsHarvestedAsTheHostsOwn() {
        DirtyLog log = DirtyLog.startedStill(marks, Runnable::run);
        log.start();
        assertThat(marks.logging()).isTrue();
        marks.mark(ram, 3);
        PageBitmap told = new PageBitmap(ram.pages());
        log.harvest(ram, told);
        assertThat(told.cardinality()).isEqualTo(1);
        log.stop();
        assertThat(marks.logging()).isFalse();
    }

    @Test
    void aHostThatForgetsToRunItIsTold() {
        Consumer<Runnable> forgets = work -> {};
        assertThatThrownBy(DirtyLog.startedStill(marks, forgets)::start)
                .hasMessageContaining("did not run what it was given");
    }
}
