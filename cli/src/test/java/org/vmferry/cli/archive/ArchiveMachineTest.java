package org.vmferry.cli.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Subsection;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

class ArchiveMachineTest {
    @TempDir Path directory;

    private static BlockHeader header(String id, long length) {
        return new BlockHeader(id, length, 4096, OptionalLong.empty());
    }

    @Test
    void blocksKeepTheirOrderNamesAndBytes() throws IOException {
        try (var archive = ArchiveMachine.in(directory)) {
            RamBlock first = archive.ramTarget().open(header("/rom@etc/acpi/tables", 8192));
            archive.ramTarget().open(header("pc.ram", 4096));
            first.write(4096, MemorySegment.ofArray(new byte[] {1, 2, 3}));

            assertThat(archive.ram().blocks())
                    .extracting(RamBlock::id)
                    .containsExactly("/rom@etc/acpi/tables", "pc.ram");
            byte[] raw = new byte[8192];
            first.read(0, MemorySegment.ofArray(raw));
            assertThat(raw).startsWith(0, 0, 0);
            assertThat(raw[4097]).isEqualTo((byte) 2);
        }
    }

    @Test
    void thousandsOfBlocksTakeOneFile() throws IOException {
        try (var archive = ArchiveMachine.in(directory)) {
            archive.expect(1);
            List<RamBlock> blocks = new ArrayList<>();
            for (int i = 0; i < 4096; i++)
                blocks.add(archive.ramTarget().open(header("block-" + i, 4096)));
            assertThat(files()).as("sections and RAM").hasSize(2);

            for (RamBlock block : blocks.subList(1, 4096)) block.write(0, page(block));
            byte[] raw = new byte[4096];
            for (RamBlock block : blocks.subList(1, 4096)) {
                block.read(0, MemorySegment.ofArray(raw));
                assertThat(MemorySegment.ofArray(raw).mismatch(page(block))).isEqualTo(-1);
            }
            blocks.getFirst().read(0, MemorySegment.ofArray(raw));
            assertThat(raw).containsOnly(0);
            assertThat(blocks.getFirst().isKnownZero(0, 4096)).isTrue();
            for (long wrong : new long[] {-1, 1}) {
                var source = MemorySegment.ofArray(raw);
                assertThatThrownBy(() -> blocks.get(7).write(wrong, source))
                        .as("its neighbours are not its own")
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> blocks.get(7).read(wrong, source))
                        .isInstanceOf(IndexOutOfBoundsException.class);
            }
        }
        assertThat(directory).isEmptyDirectory();
    }

    private static MemorySegment page(RamBlock block) {
        byte[] page = new byte[4096];
        Arrays.fill(page, (byte) (block.id().hashCode() | 1));
        return MemorySegment.ofArray(page);
    }

    private List<Path> files() throws IOException {
        try (var all = Files.walk(directory)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void whatOneFileIsTooShortForGoesIntoAnother() throws IOException {
        try (var archive = ArchiveMachine.in(directory)) {
            long length = 1L << 40;
            RamBlock small = archive.ramTarget().open(header("small", 4096));
            RamBlock large = archive.ramTarget().open(header("large", length));
            RamBlock last = archive.ramTarget().open(header("last", 4096));
            assertThat(files()).hasSize(4);
            for (RamBlock block : List.of(small, large, last)) block.write(0, page(block));
            for (RamBlock block : List.of(small, large, last)) {
                byte[] raw = new byte[4096];
                block.read(0, MemorySegment.ofArray(raw));
                assertThat(MemorySegment.ofArray(raw).mismatch(page(block))).isEqualTo(-1);
            }
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aBlockOfMoreThan2GibIsSparseAndReadsAsZeros() throws IOException {
        long length = (5L << 30) + 4096;
        try (var archive = ArchiveMachine.in(directory)) {
            RamBlock block = archive.ramTarget().open(header("pc.ram", length));
            block.write(length - 4, MemorySegment.ofArray(new byte[] {9, 8, 7, 6}));

            byte[] tail = new byte[8];
            block.read(length - 8, MemorySegment.ofArray(tail));
            assertThat(tail).containsExactly(0, 0, 0, 0, 9, 8, 7, 6);
            block.read(3L << 30, MemorySegment.ofArray(tail));
            assertThat(tail).containsOnly(0);
            assertThat(block.isKnownZero(0, length - 4096)).isTrue();
            assertThat(block.isKnownZero(length - 8192, 8192)).isFalse();
            block.write(4096, MemorySegment.ofArray(new byte[4096]));
            assertThat(block.isKnownZero(0, 4096)).isTrue();
            assertThat(block.isKnownZero(4095, 2)).isFalse();
            assertThat(block.memory()).as("mapped: a full disk ends the process").isEmpty();
        }
    }

    @Test
    void sectionsComeBackByteForByte() throws IOException {
        try (var archive = ArchiveMachine.in(directory)) {
            SectionStore store = archive.sections();
            var subsection = new Subsection("configuration/uuid", 1, new byte[16]);
            store.keep(new Configuration("pc-i440fx-10.0", List.of(subsection)));
            ByteBuffer shared = ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5});
            store.keep(new Section("timer", 0, 2, shared.slice(0, 3)));
            store.keep(new Section("empty", 7, 1, shared.slice(0, 0)));
            store.keep(new Section("timer", 1, 2, shared.slice(3, 2)));
            shared.put(0, (byte) 99); // valid during the call only
            store.keepDescription("{}".getBytes());

            assertThat(store.configuration().machine()).isEqualTo("pc-i440fx-10.0");
            assertThat(store.configuration().subsections()).containsExactly(subsection);
            assertThat(store.sections())
                    .containsExactly(
                            new Section("timer", 0, 2, ByteBuffer.wrap(new byte[] {1, 2, 3})),
                            new Section("empty", 7, 1, ByteBuffer.wrap(new byte[0])),
                            new Section("timer", 1, 2, ByteBuffer.wrap(new byte[] {4, 5})));
            assertThat(store.description()).isEqualTo("{}".getBytes());
        }
    }

    @Test
    void nothingStaysOnDisk() throws IOException {
        var archive = ArchiveMachine.in(directory);
        archive.ramTarget().open(header("pc.ram", 4096));
        assertThat(directory).isNotEmptyDirectory();
        archive.close();
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aBlockThatIsTooLargeOrComesTwiceIsRefused() throws IOException {
        try (var archive = ArchiveMachine.in(directory)) {
            archive.ramTarget().open(header("pc.ram", 4096));
            assertThatThrownBy(() -> archive.ramTarget().open(header("pc.ram", 4096)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("pc.ram");
            assertThatThrownBy(() -> archive.ramTarget().open(header("huge", 1L << 60)))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("huge");
        }
        assertThat(directory).isEmptyDirectory();
    }
}
