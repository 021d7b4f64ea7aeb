package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/** RAM that its host knows to be zero: nobody reads it, and every destination hears of it. */
class KnownZeroTest {
    private static final int LENGTH = 8 << 20;
    private static final int FROM = 3 << 20;
    private static final int TO = 6 << 20;

    @TempDir Path folder;

    private final byte[] ram = new byte[LENGTH];
    private final AtomicLong looks = new AtomicLong();

    /** One page of the part that is known to be zero holds something all the same: a trap. */
    private RamBlock source() {
        Arrays.fill(ram, (byte) 7);
        Arrays.fill(ram, FROM, TO, (byte) 0);
        ram[FROM + (1 << 20)] = 1;
        return new ForwardingBlock(RamBlock.of("ram", MemorySegment.ofArray(ram), 4096)) {
            @Override
            public Optional<MemorySegment> memory() {
                return Optional.empty();
            }

            @Override
            public boolean isKnownZero(long offset, long bytes) {
                return offset >= FROM && offset + bytes <= TO;
            }

            @Override
            public void read(long offset, MemorySegment target) {
                if (offset < TO && offset + target.byteSize() > FROM) looks.incrementAndGet();
                super.read(offset, target);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "mapped-ram", "unix", "multifd", "multifd legacy"})
    @Tag("RAM-12")
    @Tag("MAP-9")
    void isToldAndNotReadNorLeftToTheDestination(String way) throws Exception {
        Settings settings = Settings.NONE;
        if (way.equals("mapped-ram")) settings = settings.capability("mapped-ram");
        if (way.startsWith("multifd")) settings = settings.capability("multifd");
        if (way.endsWith("legacy")) settings = settings.parameter("zero-page-detection", "legacy");
        boolean file = way.equals("file") || way.equals("mapped-ram");
        String uri = (file ? "file:" : "unix:") + folder.resolve("there");

        TestMachine from = new TestMachine(RunState.PAUSED, List.of(source()));
        byte[] arrived = new byte[LENGTH];
        Arrays.fill(arrived, (byte) 0xaa); // it isn't fresh
        TestMachine to =
                new TestMachine(
                        RunState.INMIGRATE,
                        List.of(RamBlock.of("ram", MemorySegment.ofArray(arrived), 4096)));
        Engine engine = Engine.create();
        if (file) engine.send(from, uri, settings).await();
        Migration load = engine.receive(to, uri, settings);
        if (!file) engine.send(from, uri, settings).await();
        load.await();

        assertThat(looks).as("reads of what is known to be zero").hasValue(0);
        ram[FROM + (1 << 20)] = 0;
        assertThat(arrived).isEqualTo(ram);
    }
}
