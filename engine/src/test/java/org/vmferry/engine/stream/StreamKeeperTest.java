package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Sections of others that go on while the guest runs, for who keeps them. */
@Timeout(60)
@Tag("STR-20")
class StreamKeeperTest {
    private static final String MAP = "dirty-bitmap";
    private final ListStore store = new ListStore();

    private List<String> kept(Bytes bytes) throws IOException {
        return kept(new StreamIn(new MemoryChannel(bytes.array(), 3)));
    }

    private List<String> kept(StreamIn stream) throws IOException {
        store.sections.clear();
        try (StreamIn in = stream) {
            StreamReader.Handler handler =
                    new StreamReader.Handler() {
                        @Override
                        public void begin() {}

                        @Override
                        public void ramStart() throws IOException {
                            in.u64();
                        }

                        @Override
                        public void ramPart(boolean last) throws IOException {
                            in.u64();
                        }

                        @Override
                        public boolean ramPlaced() {
                            return in instanceof FileStreamIn;
                        }

                        @Override
                        public Map<String, Long> passBlocks(StreamIn again, int pageSize) {
                            return Map.of();
                        }

                        @Override
                        public void command(Wire.Command command, int argument) {}
                    };
            var reader = new KeptReader(StreamReaderTest.SESSION, in, handler, store);
            assertThat(reader.read(in.u8()))
                    .isInstanceOf(StreamReader.Whole.class)
                    .extracting(StreamReader.Result::state)
                    .isEqualTo(RunState.RUNNING);
        }
        return store.sections.stream().map(StreamKeeperTest::title).toList();
    }

    private static String title(Section section) {
        return section.kind() + " " + section.id() + " " + section.payload().remaining();
    }

    private void refused(Bytes bytes, String... sentence) {
        assertThatThrownBy(() -> kept(bytes))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll(sentence)
                .extracting(e -> ((MigrationException) e).blame())
                .isEqualTo(Blame.PEER);
    }

    private static Bytes start(Bytes before, int id, int instance) {
        return before.u8(1).u32(id).str8(MAP).u32(instance).u32(1).u8(1).footer(id);
    }

    private static Bytes more(Bytes before, int mark, int id) {
        return before.u8(mark).u32(id).u8(1).footer(id);
    }

    private static Bytes ramStart(Bytes before, int id) {
        return before.raw(new Bytes().ramStart(id).u64(0x10).footer(id).array());
    }

    private static Bytes ram(Bytes before, int mark, int id) {
        return before.u8(mark).u32(id).u64(0x10).footer(id);
    }

    /** A device, and the end. */
    private static Bytes rest(Bytes before) {
        String json =
                "{\"page_size\":4096,\"devices\":[{\"name\":\"d\",\"instance_id\":0,"
                        + "\"fields\":[{\"size\":1}]}]}";
        return before.full(9, "d", 0, 1, (byte) 7).description(json);
    }

    @Test
    void severalGoOnAtOnce() throws IOException {
        Bytes bytes = ramStart(start(start(new Bytes(), 4, 0), 5, 1), 2);
        more(ram(more(ram(more(bytes, 2, 5), 2, 2), 2, 4), 2, 2), 3, 4);
        assertThat(kept(rest(more(ram(bytes, 3, 2), 3, 5))))
                .containsExactly(
                        "START dirty-bitmap 1",
                        "START dirty-bitmap 1",
                        "START ram 0",
                        "PART dirty-bitmap 1",
                        "PART ram 0",
                        "PART dirty-bitmap 1",
                        "END dirty-bitmap 1",
                        "END ram 0",
                        "END dirty-bitmap 1",
                        "FULL d 1");
    }

    /** A device may be plugged in, out and in again while rounds are sent. */
    @Test
    void whatHasEndedMayBeginAgain() throws IOException {
        Bytes bytes = more(start(ramStart(new Bytes(), 2), 4, 0), 3, 4);
        assertThat(kept(rest(ram(more(start(bytes, 4, 0), 3, 4), 3, 2)))).hasSize(7);
    }

    @Test
    void eachIsToldApart() {
        Bytes ram = ramStart(new Bytes(), 2);
        refused(start(start(ram, 4, 0), 4, 1), "id 4", "which another has");
        refused(start(start(new Bytes(), 4, 0), 5, 0), "'dirty-bitmap' instance 0", "begun before");
        refused(start(ramStart(new Bytes(), 2), 2, 0), "id 2", "which another has");
        refused(ramStart(start(new Bytes(), 2, 0), 2), "the RAM section", "which another has");
        Bytes ended = more(start(ramStart(new Bytes(), 2), 4, 0), 3, 4);
        refused(more(ended, 2, 4), "a part of unknown section", "id 4");
    }

    /** In the device's payload stand a footer of its own, and the head of such a section. */
    @Test
    @Tag("STR-24")
    void whatStandsBeforeAnUnknownSectionIsCut(@TempDir Path folder) throws IOException {
        Bytes head = new Bytes().footer(9).u8(1).u32(5).str8("odd").u32(0).u32(1);
        String json =
                "{\"page_size\":4096,\"devices\":[{\"name\":\"d\",\"instance_id\":0,\"fields\":"
                        + "[{\"size\":%d}]}]}".formatted(head.size());
        Bytes bytes = ramStart(new Bytes(), 2).full(9, "d", 0, 1, head.array());
        bytes.u8(1).u32(5).str8("odd").u32(0).u32(1).raw((byte) 7).footer(5);
        ram(ram(bytes, 2, 2), 3, 2).description(json);
        Path file = Files.write(folder.resolve("stream"), bytes.array());
        try (var end =
                new LocalFileTransport()
                        .incoming(Address.parse("file:" + file), Options.DEFAULTS)) {
            assertThat(kept(new FileStreamIn(end)))
                    .containsExactly(
                            "START ram 4",
                            "FULL d " + head.size(),
                            "AS_IS odd 41", // with RAM's part, in which is nothing
                            "END ram 0");
        }
    }
}
