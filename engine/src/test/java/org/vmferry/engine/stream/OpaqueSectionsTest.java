package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;

class OpaqueSectionsTest {
    /** Behind RAM nothing but sections comes. */
    private static final OpaqueSections.Around ALONE =
            new OpaqueSections.Around() {
                @Override
                public boolean begins(int mark, StreamIn in) {
                    return false;
                }

                @Override
                public OpaqueSections.Ends ends() {
                    return OpaqueSections.Ends.ANY;
                }
            };

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

        /** These stand in it, as it is described already. */
        Stream described(Bytes sections) {
            bytes.raw(sections.array());
            return this;
        }

        Bytes end() {
            return bytes.description(json());
        }

        String json() {
            return "{\"page_size\":4096,\"devices\":[" + String.join(",", described) + "]}";
        }
    }

    private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir"));

    private static List<Section> sections(OpaqueSections opaque) throws IOException {
        List<Section> sections = new ArrayList<>();
        opaque.taken().give(sections::add);
        return sections;
    }

    private static List<Section> read(Bytes bytes) throws IOException {
        OpaqueSections opaque =
                new OpaqueSections(StreamReaderTest.SESSION, number -> {}, ALONE, TEMPORARY);
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 1000))) {
            assertThat(in.u8()).isEqualTo(Wire.FULL);
            assertThat(opaque.read(in)).isEqualTo(OpaqueSections.ENDED);
        }
        return sections(opaque);
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

    private static Session session(long eofSilence, long silenceTimeout) {
        Options options =
                Options.DEFAULTS
                        .with(EngineOptions.EOF_SILENCE, eofSilence)
                        .with(EngineOptions.SILENCE_TIMEOUT, silenceTimeout);
        return new MigrationSession(
                LifeCycle.Role.RECEIVES, "test", options, new UUID(0, 0), Optional.empty(), 0);
    }

    private static List<Section> read(Session session, Channel channel, List<Integer> pings)
            throws IOException {
        OpaqueSections opaque = new OpaqueSections(session, pings::add, ALONE, TEMPORARY);
        try (StreamIn in = new StreamIn(channel)) {
            in.u8();
            assertThat(opaque.read(in)).isEqualTo(OpaqueSections.ENDED);
        }
        return sections(opaque);
    }

    private static List<byte[]> cutAt(byte[] all, int... places) {
        List<byte[]> pieces = new ArrayList<>();
        int from = 0;
        for (int place : places) {
            if (place > from) pieces.add(Arrays.copyOfRange(all, from, place));
            from = place;
        }
        if (from < all.length) pieces.add(Arrays.copyOfRange(all, from, all.length));
        return pieces;
    }

    private static Bytes ping(Bytes into, int number) {
        return into.u8(8).u16(2).u16(4).u32(number);
    }

    @Test
    @Tag("STR-6")
    @Tag("STR-10")
    void aPingIsAnsweredWhenNothingFollowsAndIsNoneOfTheBytes() throws IOException {
        Stream stream = new Stream().section("a", (byte) 1);
        ping(stream.bytes, 11);
        int answered = stream.bytes.size();
        ping(stream.section("b").bytes, 12); // more follows at once
        stream.section("c");
        ping(stream.bytes, 13);
        int last = stream.bytes.size();
        List<Integer> pings = new ArrayList<>();
        List<Section> sections =
                read(
                        session(1000, 1000),
                        new Pieces(
                                cutAt(stream.end().array(), 20, answered - 3, answered, last),
                                -1,
                                0),
                        pings);
        assertThat(sections).extracting(Section::id).containsExactly("a", "b", "c");
        assertThat(pings).containsExactly(11, 13);
    }

    @Test
    @Tag("STR-10")
    void aPayloadMayLookLikeAPing() throws IOException {
        Bytes fake = ping(new Bytes().raw(7, 3).footer(5), 99);
        byte[] payload = fake.raw(5, 1).array();
        Stream stream = new Stream().section("a", payload).section("b");
        List<Integer> pings = new ArrayList<>();
        int at = 1 + 4 + 2 + 8 + 7 + 5 + 9;
        List<Section> sections =
                read(
                        session(1000, 1000),
                        new Pieces(cutAt(stream.end().array(), at), -1, 0),
                        pings);
        assertThat(bytes(sections.get(0))).isEqualTo(payload);
        assertThat(pings).as("which harms nobody").containsExactly(99);
    }

    /** Pieces of every kind that a payload could be mistaken by; the seed tells which failed. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    @Tag("STR-10")
    void whateverAPayloadHoldsItIsCutRight(int seed) throws IOException {
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            Stream stream = new Stream();
            List<byte[]> payloads = new ArrayList<>();
            int count = 1 + random.nextInt(4);
            for (int i = 0; i < count; i++) {
                Bytes payload = new Bytes();
                for (int part = random.nextInt(6); part > 0; part--) {
                    switch (random.nextInt(7)) {
                        case 0 -> payload.footer(stream.id + random.nextInt(2));
                        case 1 -> ping(payload, random.nextInt());
                        case 2 -> payload.u8(0);
                        case 3 -> payload.u8(4).u32(stream.id).str8("a").u32(0).u32(9);
                        case 4 -> payload.u8(0, 6).u32(random.nextInt(40)).text("{");
                        case 5 -> payload.raw(random.nextInt(9), random.nextInt(9));
                        default -> payload.full(stream.id, "b", 0, 9, (byte) 0);
                    }
                }
                stream.section("s" + i, payload.array());
                payloads.add(payload.array());
                while (random.nextInt(3) == 0) ping(stream.bytes, random.nextInt());
            }
            byte[] all = stream.end().array();
            int[] places = random.ints(5, 1, all.length).sorted().toArray();
            List<Section> sections =
                    read(
                            session(10_000, 10_000),
                            new Pieces(cutAt(all, places), -1, 0),
                            new ArrayList<>());
            assertThat(sections).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertThat(bytes(sections.get(i))).isEqualTo(payloads.get(i));
            }
        }
    }

    private static Stream threeDevices() {
        Bytes zeros = new Bytes().raw(5, 0).u8(0x7e).u32(77).u8(0).raw(3, 1).u8(0);
        return new Stream().section("a", zeros.array()).section("b", (byte) 0).section("c");
    }

    /** Longer than what is taken for the end: only behind the last device that is right. */
    @Test
    @Tag("STR-13")
    void aStreamThatStallsBehindEachZeroIsNotEndedTooSoon() throws IOException {
        Stream stream = threeDevices();
        int end = stream.bytes.size() + 1;
        byte[] all = stream.end().array();
        for (int at = 2; at < all.length; at++) {
            if (all[at - 1] != 0) continue;
            List<byte[]> pieces = cutAt(all, at);
            List<Section> sections =
                    read(session(10, 5000), new Pieces(pieces, 1, 60), new ArrayList<>());
            assertThat(sections).as("stalls at %d, ends at %d", at, end).hasSize(3);
            assertThat(sections.get(0).payload().remaining()).isEqualTo(15);
        }
    }

    @Test
    @Tag("STR-13")
    void aStreamWithoutADescriptionEndsAfterSilence() throws IOException {
        for (int stall : new int[] {1, -1}) { // the connection stays open, or ends
            byte[] all = threeDevices().bytes.u8(0).array();
            Pieces pieces = new Pieces(List.of(all), stall, Long.MAX_VALUE);
            List<Section> sections = read(session(20, 5000), pieces, new ArrayList<>());
            assertThat(sections).extracting(Section::id).containsExactly("a", "b", "c");
            assertThat(bytes(sections.get(1))).containsExactly(0);
            assertThat(sections).extracting(Section::version).containsOnly(9);
        }
    }

    /** A payload that looks like the end is no end once a byte more came in time. */
    @Test
    @Tag("STR-13")
    void aByteTakesTheGuessBack() throws IOException {
        byte[] payload = new Bytes().raw(3, 1).footer(5).u8(0).raw(3, 2).array();
        int at = 1 + 4 + 2 + 8 + 3 + 5 + 1;
        byte[] all = new Stream().section("a", payload).section("b").bytes.u8(0).array();
        Pieces pieces = new Pieces(cutAt(all, at), 1, 50);
        List<Section> sections = read(session(20_000, 20_000), pieces, new ArrayList<>());
        assertThat(sections).hasSize(2);
        assertThat(bytes(sections.get(0))).isEqualTo(payload);
    }

    @Test
    @Tag("STR-13")
    void whatCanBeReadInSeveralWaysIsNoEnd() throws IOException {
        Bytes inner = new Bytes().footer(5).u8(4).u32(5).str8("x").u32(0).u32(1);
        Stream stream = new Stream().section("a", inner.array());
        byte[] all = stream.bytes.u8(0).array();
        for (int stall : new int[] {1, -1}) {
            Pieces pieces = new Pieces(List.of(all), stall, Long.MAX_VALUE);
            assertThatThrownBy(() -> read(session(10, 100), pieces, new ArrayList<>()))
                    .isInstanceOf(MigrationException.class)
                    .hasMessageContaining("read in several ways")
                    .hasMessageContaining("the stream ends at " + (all.length - 1));
        }
        // With its description it is one.
        byte[] described = new Stream().section("a", inner.array()).end().array();
        Pieces pieces = new Pieces(cutAt(described, all.length), 1, 50);
        assertThat(read(session(10, 5000), pieces, new ArrayList<>())).hasSize(1);
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
    void itsEndIsKnownAndNothingBehindItIsRead() throws IOException {
        byte[] promised = new Bytes().footer(5).u8(0, 6).u32(1 << 20).text("{").array();
        Bytes bytes = new Stream().section("b", promised).end();
        int end = bytes.size();
        bytes.text("vmferry 1");
        OpaqueSections opaque =
                new OpaqueSections(StreamReaderTest.SESSION, number -> {}, ALONE, TEMPORARY);
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 1000))) {
            in.u8();
            assertThat(opaque.read(in)).isEqualTo(OpaqueSections.ENDED);
            assertThat(in.position()).isEqualTo(end);
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
        boolean[] begun = new boolean[1];
        OpaqueSections opaque =
                new OpaqueSections(
                        StreamReaderTest.SESSION,
                        number -> {},
                        new OpaqueSections.Around() {
                            @Override
                            public boolean begins(int mark, StreamIn in) throws IOException {
                                return mark == Wire.START && in.peek(4) == 3 && in.peek(5) == 'r';
                            }

                            @Override
                            public OpaqueSections.Ends ends() {
                                return begun[0]
                                        ? OpaqueSections.Ends.ANY
                                        : OpaqueSections.Ends.LATE;
                            }
                        },
                        TEMPORARY);
        try (StreamIn in = new StreamIn(new MemoryChannel(stream, 64))) {
            in.u8();
            assertThat(opaque.read(in)).isEqualTo(Wire.START);
            assertThat(in.position()).isEqualTo(resumed - 1000 - 16);
            for (int i = 0; i < 16; i++) in.u8();
            opaque.taken().ram(Kind.START);
            begun[0] = true;
            for (int i = 0; i < 1000; i++) assertThat(in.u8()).isEqualTo(0x55);
            in.u8();
            assertThat(opaque.read(in)).isEqualTo(OpaqueSections.ENDED);
        }
        assertThat(sections(opaque))
                .extracting(Section::id)
                .containsExactly("a", "ram", "ram", "b");
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
        refused(new Stream().section("a").bytes, "the stream ends at 20");
        refused(new Stream().section("a").bytes.u8(0, 6).u32(-1).text("{"), "the stream ends at");
    }

    /** A QEMU is wrong about the length of some arrays: names and footers tell as well. */
    @Test
    @Tag("STR-10")
    void wrongLengthsAreFoundByNameInOneWay() throws IOException {
        Stream stream = new Stream().describe("a", 9).describe("b", 2).describe("c", 1);
        byte[] imitation = new Bytes().footer(7).u8(0, 6).u32(3).text("{!}").array();
        stream.bytes.full(7, "a", 0, 9, imitation).full(8, "b", 0, 9).full(9, "c", 0, 9, (byte) 3);
        byte[] all = stream.end().array();
        for (int stall : new int[] {1, -1}) { // the connection stays open, or ends
            Pieces pieces = new Pieces(List.of(all), stall, Long.MAX_VALUE);
            List<Section> sections = read(session(20, 5000), pieces, new ArrayList<>());
            assertThat(sections).extracting(Section::id).containsExactly("a", "b", "c");
            assertThat(bytes(sections.get(0))).isEqualTo(imitation);
        }
    }

    @Test
    @Tag("STR-10")
    void wrongLengthsThatFitInSeveralWaysAreRefused() {
        Stream stream = new Stream().describe("a", 9).describe("b", 0);
        byte[] inner = new Bytes().footer(7).u8(4).u32(8).str8("b").u32(0).u32(9).array();
        refused(
                stream.described(new Bytes().full(7, "a", 0, 9, inner).full(8, "b", 0, 9)).end(),
                "can't be told apart",
                "found in several ways",
                "'a'");
    }

    @Test
    @Tag("STR-13")
    @Timeout(20)
    void whatFitsInNoWayIsRefusedWhileTheConnectionStaysOpen() {
        Bytes unknown = new Stream().section("a").bytes.u8(1).u32(9).str8("foo").u32(0).u32(1);
        byte[] undescribed = unknown.footer(9).u8(0).array();
        byte[] described = new Stream().section("a").describe("b", 3).end().array();
        for (byte[] all : List.of(undescribed, described)) {
            Pieces pieces = new Pieces(List.of(all), 1, Long.MAX_VALUE);
            assertThatThrownBy(() -> read(session(10, 100), pieces, new ArrayList<>()))
                    .isInstanceOf(OpaqueSections.Uncut.class)
                    .hasMessageContaining(
                            all == described
                                    ? "VMDESCRIPTION gives device 'b' 3 bytes at 20"
                                    : "mark 0x01 stands at 20, of section 'foo', behind section"
                                            + " 'a'");
        }
    }

    /** Whatever comes ends in time, with an answer or a refusal. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    @Tag("STR-13")
    @Timeout(60)
    void whateverComesEnds(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            Stream stream = new Stream();
            for (int i = random.nextInt(4); i >= 0; i--) {
                byte[] payload = new byte[random.nextInt(20)];
                random.nextBytes(payload);
                stream.section("s" + i, payload);
            }
            byte[] all = stream.end().array();
            for (int i = random.nextInt(4); i >= 0; i--)
                all[1 + random.nextInt(all.length - 1)] = (byte) random.nextInt();
            byte[] part = Arrays.copyOf(all, 1 + random.nextInt(all.length));
            try {
                read(session(1, 5), new Pieces(List.of(part), -1, 0), new ArrayList<>());
            } catch (IOException e) {
                assertThat(e).isInstanceOf(MigrationException.class);
            }
        }
    }
}
