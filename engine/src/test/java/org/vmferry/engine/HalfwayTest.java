package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.SteadyDirtyLog;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What fails half-way is undone. */
class HalfwayTest {
    private static final String NO_DIRECT =
            "Cannot reserve 4096 bytes of direct buffer memory (allocated: 1, limit: 2)";

    @TempDir Path directory;
    private final Engine engine = Engine.create();

    private Migration save(TestMachine machine) throws Exception {
        Migration save =
                engine.send(machine, "file:" + directory.resolve("vm.snap"), Settings.NONE);
        try {
            save.await();
        } catch (MigrationException e) {
            // Asked for below.
        }
        return save;
    }

    /** A log of which start throws when it has begun. */
    private static final class HalfLog extends SteadyDirtyLog {
        final List<String> calls = new ArrayList<>();
        private final Error error;

        HalfLog(Error error) {
            super(0);
            this.error = error;
        }

        @Override
        public void start() {
            calls.add("start");
            throw error;
        }

        @Override
        public void stop() {
            calls.add("stop");
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            calls.add("harvest");
        }
    }

    @Test
    @Tag("DLG-8")
    void aLogOfWhichStartThrowsIsStopped() throws Exception {
        HalfLog log = new HalfLog(new OutOfMemoryError(NO_DIRECT));
        TestMachine machine = TestMachine.live();
        machine.log = Optional.of(log);
        Migration save = save(machine);
        assertThat(log.calls).containsExactly("start", "stop");
        assertThat(machine.state).isEqualTo(RunState.RUNNING);
        MigrationException why = save.failure().orElseThrow();
        assertThat(why.blame()).isEqualTo(Blame.HOST);
        assertThat(why)
                .hasMessageStartingWith("the dirty log could not be started: ")
                .hasMessageContaining("-XX:MaxDirectMemorySize");
        assertThat(directory).isEmptyDirectory();
    }

    /** RAM that is an array, so that a copy of it is not, and can't be had once. */
    private static RamBlock block(String id, int value, boolean[] fails) {
        byte[] bytes = new byte[4 * 4096];
        java.util.Arrays.fill(bytes, (byte) value);
        RamBlock real = RamBlock.of(id, MemorySegment.ofArray(bytes), 4096);
        return new RamBlock() {
            @Override
            public String id() {
                return real.id();
            }

            @Override
            public long usedLength() {
                return real.usedLength();
            }

            @Override
            public int pageSize() {
                return real.pageSize();
            }

            @Override
            public void read(long offset, MemorySegment target) {
                if (fails[0]) throw new OutOfMemoryError(NO_DIRECT);
                real.read(offset, target);
            }

            @Override
            public void write(long offset, MemorySegment source) {
                real.write(offset, source);
            }
        };
    }

    @Test
    @Tag("DLG-8")
    void comparingRamThatCouldNotCopyAllShowsNoCopy() throws Exception {
        boolean[] fails = {true};
        RamBlock first = block("first", 1, new boolean[1]);
        ComparingRam ram = new ComparingRam(List.of(first, block("second", 1, fails)));
        assertThatThrownBy(ram::start).isInstanceOf(OutOfMemoryError.class);
        first.write(0, MemorySegment.ofArray(new byte[] {3}));
        assertThat(Rams.content(ram.blocks().getFirst())[0]).isEqualTo((byte) 3);
    }

    @ParameterizedTest
    @CsvSource({
        "direct buffer memory,-XX:MaxDirectMemorySize",
        "Java heap space,-Xmx",
        "unable to create native thread: possibly out of memory,further thread",
        "Map failed,no memory"
    })
    void aLimitOfTheJvmIsTheHosts(String said, String advice) {
        MigrationException typed = MigrationException.of(new OutOfMemoryError(said));
        assertThat(typed.blame()).isEqualTo(Blame.HOST);
        assertThat(typed).hasMessageContaining(advice).hasMessageContaining(said);
    }

    /** The file is made first, and can't be made so long then. */
    @Test
    void aFileThatCanNotBeginWhereItShouldIsRemoved() throws Exception {
        Migration save =
                engine.send(
                        TestMachine.live(),
                        "file:" + directory.resolve("vm.snap") + ",offset=" + (1L << 62),
                        Settings.NONE);
        assertThatThrownBy(save::await).isInstanceOf(MigrationException.class);
        assertThat(directory).isEmptyDirectory();
    }
}
