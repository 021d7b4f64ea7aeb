package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.memory.GuestMemory;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.system.NativeCalls;
import org.vmferry.spi.doubles.PresentPages;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;

/**
 * A large guest that uses a hundredth of its RAM: of the rest no page comes to be. Of one that runs
 * the kernel tells what it writes to; or its memory is shared, and compared.
 */
class EmptyGuestTest {
    private static final long MIB = 1 << 20;
    private static final long USED = 2 * MIB; // of each stretch, a huge page
    private static final long STRETCH = 200 * MIB;

    @TempDir Path folder;

    private final Arena arena = Arena.ofShared();

    @AfterEach
    void close() {
        arena.close();
    }

    @ParameterizedTest
    @CsvSource({
        "mapped-ram, false, PAUSED, 32",
        "mapped-ram, true, PAUSED, 8",
        "multifd, false, PAUSED, 8",
        "multifd, false, RUNNING, 8",
        "multifd, true, PAUSED, 8",
        "multifd, true, RUNNING, 8",
        "stream, false, PAUSED, 8",
        "stream, false, RUNNING, 8"
    })
    @Tag("MAP-9")
    void isToldAndNotTouched(String way, boolean shareable, RunState state, long gib)
            throws Exception {
        assumeTrue(NativeCalls.available(), "needs native access: without, nothing is known");
        GuestMemory source = make(shareable, gib << 30);
        GuestMemory destination = make(shareable, gib << 30);
        long size = gib << 30;
        for (long at = 0; at + USED <= size; at += STRETCH)
            source.segment().asSlice(at, USED).fill((byte) (1 + at / STRETCH % 100));
        long used = PresentPages.in(source.segment());

        Settings settings = way.equals("stream") ? Settings.NONE : Settings.NONE.capability(way);
        String uri = (way.equals("mapped-ram") ? "file:" : "unix:") + folder.resolve("there");
        Engine engine = Engine.create();
        var from = new TestMachine(state, List.of(source.block("ram", 4096)));
        var to = new TestMachine(RunState.INMIGRATE, List.of(destination.block("ram", 4096)));
        if (way.equals("mapped-ram")) engine.send(from, uri, settings).await();
        Migration load = engine.receive(to, uri, settings);
        if (!way.equals("mapped-ram")) engine.send(from, uri, settings).await();
        load.await();

        assertThat(PresentPages.in(source.segment())).as("pages of the source").isEqualTo(used);
        assertThat(PresentPages.in(destination.segment()))
                .as("pages of the destination")
                .isEqualTo(used);
        for (long at = 0; at + USED <= size; at += STRETCH)
            assertThat(
                            source.segment()
                                    .asSlice(at, USED)
                                    .mismatch(destination.segment().asSlice(at, USED)))
                    .isEqualTo(-1);
    }

    private GuestMemory make(boolean shareable, long bytes) {
        return shareable ? GuestMemory.shareable(arena, bytes) : GuestMemory.allocate(arena, bytes);
    }
}
