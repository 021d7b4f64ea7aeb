package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

class OpaqueSectionsTest {
    /** Sections that are described as they are. */
    private static final class Stream {
        final Bytes bytes = new Bytes();
        final List<String> described = new ArrayList<>();
        int id = 5;

        Stream section(String name, byte... payload) {
            bytes.full(id++, name, 0, 9, payload);
            return describe(name, payload.length);
        }

        Stream describe(String name, long length) {
            described.add(
                    "{\"name\":\"%s\",\"instance_id\":0,\"fields\":[{\"size\":%d}]}"
                            .formatted(name, length));
            return this;
        }

        Bytes end() {
            return bytes.description(json());
        }

        String json() {
            return "{\"page_size\":4096,\"devices\":[" + String.join(",", described) + "]}";
        }
    }

    private static List<Section> read(Bytes bytes) throws IOException {
        OpaqueSections opaque = new OpaqueSections();
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 1000))) {
            assertThat(in.u8()).isEqualTo(Wire.FULL);
            assertThat(opaque.read(in, false)).isFalse();
        }
        return opaque.sections();
    }

    private static void refused(Bytes bytes, String... parts) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(MigrationException.class)
                .satisfies(
                        e -> {
                            String all = e.getMessage();
                            for (Throwable s : e.getSuppressed()) all += "\n" + s.getMessage();
                            assertThat(all).contains(parts);
                        });
    }

    private static byte[] bytes(Section section) {
        byte[] bytes = new byte[section.payload().remaining()];
        section.payload().duplicate().get(bytes);
        return bytes;
    }

    @Test
    @Tag("STR-9")
    @Tag("STR-10")
    void cutsWhatIsDescribed() throws IOException {
        byte[] large = new byte[300_000];
        new Random(3).nextBytes(large);
        Bytes stream = new Stream().section("a", (byte) 1).section("b").section("c", large).end();
        List<Section> sections = read(stream.raw(50, 9));
        assertThat(sections).extracting(Section::id).containsExactly("a", "b", "c");
        assertThat(sections).extracting(Section::version).containsOnly(9);
        assertThat(bytes(sections.get(1))).isEmpty();
        assertThat(bytes(sections.get(2))).isEqualTo(large);
    }

    @Test
    @Tag("STR-10")
    void aPayloadMayLookLikeTheEnd() throws IOException {
        byte[] whole = new Stream().section("x", (byte) 7).end().array();
        byte[] promised = new Bytes().footer(5).u8(0, 6).u32(1 << 20).text("{").array();
        byte[] noJson = new Bytes().footer(5).u8(0, 6).u32(3).text("{!}").array();
        byte[] ram = new Bytes().footer(5).ramStart(3).array();
        List<Section> sections =
                read(
                        new Stream()
                                .section("a", whole)
                                .section("b", promised)
                                .section("c", noJson)
                                .section("d", ram)
                                .end());
        assertThat(sections).hasSize(4);
        assertThat(bytes(sections.get(0))).isEqualTo(whole);
        assertThat(bytes(sections.get(3))).isEqualTo(ram);
    }

    @Test
    @Tag("STR-10")
    @Tag("TRL-1")
    void itsEndIsKnownThoughMoreWasRead() throws IOException {
        byte[] promised = new Bytes().footer(5).u8(0, 6).u32(1 << 20).text("{").array();
        Bytes bytes = new Stream().section("b", promised).end();
        int end = bytes.size();
        bytes.text("vmferry 1");
        OpaqueSections opaque = new OpaqueSections();
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 1000))) {
            in.u8();
            assertThat(opaque.read(in, false)).isFalse();
            assertThat(in.position()).isGreaterThan(end);
        }
        assertThat(opaque.end()).isEqualTo(end);
    }

    @Test
    @Tag("STR-10")
    void manyFalseEndsAreNotTriedForEver() {
        Bytes payload = new Bytes();
        for (int i = 0; i < 1000; i++) payload.footer(5).u8(0, 6).u32(3).text("{!}");
        refused(new Stream().section("a", payload.array()).end(), "Not JSON");
    }

    @Test
    @Tag("STR-4")
    @Tag("STR-10")
    void ramMayBeginAfterEarlySections() throws IOException {
        Stream early = new Stream().section("a", new Bytes().footer(1).u8(0, 6).array());
        early.bytes.ramStart(3).raw(1000, 0x55);
        int resumed = early.bytes.size();
        Stream all = new Stream();
        all.described.addAll(early.described);
        all.section("b", (byte) 2);
        byte[] stream = early.bytes.raw(all.end().array()).array();
        OpaqueSections opaque = new OpaqueSections();
        try (StreamIn in = new StreamIn(new MemoryChannel(stream, 64))) {
            in.u8();
            assertThat(opaque.read(in, true)).isTrue();
            assertThat(opaque.ramSectionId()).isEqualTo(3);
            assertThat(in.position()).isEqualTo(resumed - 1000);
            assertThat(opaque.ramPosition()).isEqualTo(resumed - 1000 - 17);
            for (int i = 0; i < 1000; i++) assertThat(in.u8()).isEqualTo(0x55);
            in.u8();
            assertThat(opaque.read(in, false)).isFalse();
        }
        assertThat(opaque.sections()).extracting(Section::id).containsExactly("a", "b");
    }

    @Test
    @Tag("STR-10")
    void whatDoesNotFitIsNamed() {
        refused(new Stream().section("a").describe("b", 0).end(), "'b'", "sections end at 20");
        refused(new Stream().describe("a", 1L << 30).section("a").end(), "'a'", "end at 20");
        Stream left = new Stream().section("a");
        left.bytes.full(9, "b", 0, 1);
        refused(left.end(), "20 bytes from 20 on");
        Stream name = new Stream().describe("x", 0);
        name.bytes.full(9, "b", 0, 1);
        refused(name.end(), "at 0 device 'x' instance 0 should begin");
        Stream footer = new Stream().describe("a", 1).describe("b", 0);
        footer.bytes.full(9, "a", 0, 1).full(9, "b", 0, 1);
        refused(footer.end(), "'a' should end with its footer at 16");
        refused(new Stream().section("a").bytes, "the stream ends at 20");
        refused(new Stream().section("a").bytes.u8(0, 6).u32(-1).text("{"), "the stream ends at");
    }
}
