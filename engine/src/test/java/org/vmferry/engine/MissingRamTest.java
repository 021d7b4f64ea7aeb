package org.vmferry.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.doubles.TestMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/** RAM that a source left out is nobody's zeros. */
class MissingRamTest {
    private static final Settings IGNORE = Settings.NONE.capability("x-ignore-shared");

    @TempDir Path folder;
    private final Engine engine = Engine.create();

    private String file() {
        return "file:" + folder.resolve("vm");
    }

    /** A block that is shared memory, or whose content is missing. */
    private record Odd(RamBlock block, boolean shared, boolean missing, OptionalLong guestAddress)
            implements RamBlock {
        @Override
        public String id() {
            return block.id();
        }

        @Override
        public long usedLength() {
            return block.usedLength();
        }

        @Override
        public int pageSize() {
            return block.pageSize();
        }

        @Override
        public void read(long offset, MemorySegment target) {
            block.read(offset, target);
        }

        @Override
        public void write(long offset, MemorySegment source) {
            block.write(offset, source);
        }
    }

    private static TestMachine machine(RunState state, int seed, boolean shared, boolean missing) {
        List<RamBlock> blocks = TestMachine.heap(64, seed);
        OptionalLong address = OptionalLong.of(0x1000_0000);
        return new TestMachine(
                state, List.of(new Odd(blocks.get(0), shared, missing, address), blocks.get(1)));
    }

    private static TestMachine sharing(RunState state, int seed) {
        return machine(state, seed, true, false);
    }

    private static void assertRefused(Migration migration, String... parts) {
        assertThatExceptionOfType(MigrationException.class)
                .isThrownBy(migration::await)
                .withMessageContainingAll(parts);
    }

    @Test
    void sharedBlocksAreLeftOut() throws Exception {
        engine.send(sharing(RunState.RUNNING, 5), file(), IGNORE).await();
        assertThat(Files.size(folder.resolve("vm"))).isLessThan(20_000);
        TestMachine target = sharing(RunState.INMIGRATE, 0);
        engine.receive(target, file(), IGNORE).await();
        assertThat(Rams.content(target.ram().blocks().getFirst())).containsOnly(0);

        List<RamBlock> blocks = TestMachine.heap(64, 0);
        OptionalLong elsewhere = OptionalLong.of(0x2000_0000);
        Migration refused =
                engine.receive(
                        new TestMachine(
                                RunState.INMIGRATE,
                                List.of(
                                        new Odd(blocks.get(0), true, false, elsewhere),
                                        blocks.get(1))),
                        file(),
                        IGNORE);
        assertRefused(refused, "0x10000000", "0x20000000");
    }

    @Test
    @Tag("TRL-7")
    void aMachineWhoseOwnRamDidNotComeNeverStarts() throws Exception {
        engine.send(sharing(RunState.RUNNING, 5), file(), IGNORE).await();
        TestMachine target = machine(RunState.INMIGRATE, 0, false, false);
        assertRefused(engine.receive(target, file(), IGNORE), "block 'ram'", "x-ignore-shared");
        assertThat(target.entered).isEmpty();
    }

    @Test
    @Tag("TRL-7")
    void privateBlocksOfNothingButZerosAreThere() throws Exception {
        engine.send(machine(RunState.RUNNING, 0, false, false), file(), IGNORE).await();
        TestMachine target = machine(RunState.INMIGRATE, 1, false, false);
        engine.receive(target, file(), IGNORE).await();
        assertThat(Rams.content(target.ram().blocks().getFirst())).containsOnly(0);
        assertThat(engine.inspect(file()).blocks()).noneMatch(Inspection.Block::missing);
    }

    @Test
    @Tag("TRL-4")
    void theFileNamesThem() throws Exception {
        engine.send(sharing(RunState.RUNNING, 5), file(), IGNORE).await();
        Inspection inspection = engine.inspect(file());
        assertThat(inspection.facts())
                .containsExactly(
                        new Fact("writer", "vmferry " + Engine.version()),
                        new Fact("missing-ram", "ram 0x10000000"));
        assertThat(inspection.damage()).isEmpty();
        assertThat(inspection.blocks().stream().filter(Inspection.Block::missing))
                .extracting(Inspection.Block::id)
                .containsExactly("ram");
    }

    @Test
    @Tag("TRL-7")
    void whoLacksItsContentSaysSoOrSendsNothing() throws Exception {
        TestMachine source = machine(RunState.RUNNING, 5, false, true);
        assertRefused(engine.send(source, file(), Settings.NONE), "block 'ram'", "x-ignore-shared");
        assertThat(source.state).isEqualTo(RunState.RUNNING);
        assertThat(folder).isEmptyDirectory();
        engine.send(source, file(), IGNORE).await();
        assertThat(engine.inspect(file()).blocks().getFirst().missing()).isTrue();
    }

    /** Puts a text of ours behind what precedes it in a file, with a sum that is right. */
    private void append(byte[] before, String text) throws IOException {
        CRC32C sum = new CRC32C();
        String bytes = new String(before, StandardCharsets.ISO_8859_1);
        int tail = bytes.lastIndexOf("\u007e\0\0\0\1") + 5; // behind the footer of ram's END
        sum.update(before, tail, before.length - tail);
        sum.update(text.getBytes(StandardCharsets.UTF_8));
        var all = new ByteArrayOutputStream();
        all.writeBytes(before);
        all.writeBytes((text + "crc32c %08x\n".formatted(sum.getValue())).getBytes());
        Files.write(folder.resolve("vm"), all.toByteArray());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("TRL-1")
    @Tag("TRL-7")
    void itIsReadBehindTheDescriptionOrBehindEof(boolean described) throws Exception {
        engine.send(machine(RunState.PAUSED, 5, false, false), file(), Settings.NONE).await();
        byte[] whole = Files.readAllBytes(folder.resolve("vm"));
        String bytes = new String(whole, StandardCharsets.ISO_8859_1);
        byte[] before =
                Arrays.copyOf(
                        whole,
                        described
                                ? bytes.lastIndexOf("vmferry 1\n")
                                : bytes.lastIndexOf("{\"configuration\"") - 5);
        append(before, "vmferry 1\nmissing-ram nonsense\n");
        engine.receive(machine(RunState.INMIGRATE, 0, false, false), file(), Settings.NONE).await();
        append(before, "vmferry 1\nmissing-ram ram\n");
        // Nor does it help that the block is shared: the file brought zeros over it.
        for (boolean shared : new boolean[] {false, true}) {
            TestMachine target = machine(RunState.INMIGRATE, 0, shared, false);
            assertRefused(engine.receive(target, file(), Settings.NONE), "block 'ram'");
            assertThat(target.entered).isEmpty();
        }
    }

    @Test
    @Tag("TRL-1")
    void noChannelEverCarriesIt() throws Exception {
        Path got = folder.resolve("got");
        engine.send(machine(RunState.PAUSED, 5, false, false), file(), Settings.NONE).await();
        engine.send(
                        machine(RunState.PAUSED, 5, false, false),
                        "exec:cat > '" + got + "'",
                        Settings.NONE)
                .await();
        byte[] sent = Files.readAllBytes(got);
        String file = Files.readString(folder.resolve("vm"), StandardCharsets.ISO_8859_1);
        assertThat(new String(sent, StandardCharsets.ISO_8859_1))
                .isEqualTo(file.substring(0, file.lastIndexOf("vmferry 1\n")));
    }

    @Test
    @Tag("RAM-2")
    void whereTheGuestSeesABlockIsAnnounced() throws Exception {
        RamBlock high =
                RamBlock.of("ram", MemorySegment.ofArray(new byte[2 * 4096]), 4096, 0x8000_0000L);
        RamBlock nowhere = RamBlock.of("rom", MemorySegment.ofArray(new byte[4096]), 4096);
        engine.send(new TestMachine(RunState.PAUSED, List.of(high, nowhere)), file(), IGNORE)
                .await();
        List<BlockHeader> announced = new ArrayList<>();
        TestMachine target =
                new TestMachine(RunState.INMIGRATE, List.of(high, nowhere)) {
                    @Override
                    public RamTarget ramTarget() {
                        return header -> {
                            announced.add(header);
                            return super.ramTarget().open(header);
                        };
                    }
                };
        engine.receive(target, file(), IGNORE).await();
        assertThat(announced)
                .extracting(BlockHeader::guestAddress)
                .containsExactly(OptionalLong.of(0x8000_0000L), OptionalLong.of(0));
    }
}
