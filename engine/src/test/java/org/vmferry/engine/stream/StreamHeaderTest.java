package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Subsection;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

class StreamHeaderTest {
    private static final Options MAPPED_RAM =
            Options.DEFAULTS.with(new Capability("mapped-ram"), true);
    private static final Options VALIDATE =
            Options.DEFAULTS.with(EngineOptions.VALIDATE_UUID, true);
    private static final UUID ID = new UUID(0x0123456789abcdefL, -2);

    private static Configuration read(Bytes bytes) throws IOException {
        try (StreamIn in = new StreamIn(new MemoryChannel(bytes.array(), 7))) {
            StreamHeader.Head head = StreamHeader.read(in);
            assertThat(head.next()).isEqualTo(1);
            return head.configuration();
        }
    }

    private static void refused(Bytes bytes, String... parts) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.PEER))
                .hasMessageContainingAll(parts);
    }

    private static Bytes sub(String name, int version) {
        return new Bytes().header("pc").u8(5).str8(name).u32(version);
    }

    @Test
    @Tag("STR-1")
    @Tag("STR-2")
    void writesAndReadsAllOfIt() throws IOException {
        Options options = MAPPED_RAM.with(EngineOptions.VALIDATE_UUID, true);
        Configuration of = StreamHeader.of("pc-9", 65536, Optional.of(ID), options);
        MemoryChannel channel = new MemoryChannel(new byte[0], 5);
        try (StreamOut out = new StreamOut(channel)) {
            StreamHeader.write(out, of);
            out.u8(1);
            out.flush();
        }
        Bytes expected = new Bytes().header("pc-9");
        expected.u8(5).str8("configuration/target-page-bits").u32(1).u32(16);
        expected.u8(5).str8("configuration/capabilities").u32(1).u32(1).str8("mapped-ram");
        expected.u8(5).str8("configuration/uuid").u32(1).u64(0x0123456789abcdefL).u64(-2).u8(1);
        assertThat(channel.written()).isEqualTo(expected.array());
        Configuration back = read(expected);
        assertThat(back.machine()).isEqualTo("pc-9");
        assertThat(StreamHeader.pageSize(back)).hasValue(65536);
        assertThat(StreamHeader.capabilities(back)).containsExactly("mapped-ram");
        assertThat(StreamHeader.uuid(back)).contains(ID);
    }

    @Test
    @Tag("STR-1")
    void refusesAnotherMagicOrVersion() {
        refused(new Bytes().text("QEVX").u32(3), "at 0", "0x51455658", "QEVM");
        refused(new Bytes().text("QEVM").u32(2), "version 2", "at 4", "must be 3");
        refused(new Bytes().text("QEVM").u32(-1), "at 4", "must be 3");
    }

    @Test
    @Tag("STR-2")
    void takesAStreamWithoutConfiguration() throws IOException {
        Configuration none = read(new Bytes().text("QEVM").u32(3).u8(1));
        assertThat(none).isEqualTo(new Configuration("", List.of()));
        assertThat(StreamHeader.pageSize(none)).isEmpty();
        MemoryChannel channel = new MemoryChannel(new byte[0], 5);
        try (StreamOut out = new StreamOut(channel)) {
            StreamHeader.write(out, none);
            out.flush();
            assertThat(channel.written()).hasSize(8);
            Configuration mapped = StreamHeader.withCapabilities(none, MAPPED_RAM);
            assertThatThrownBy(() -> StreamHeader.write(out, mapped))
                    .hasMessageContaining("configuration/capabilities");
        }
    }

    @Test
    @Tag("STR-2")
    void checksEveryField() {
        Bytes start = new Bytes().text("QEVM").u32(3).u8(7);
        refused(start.u32(0), "machine name at 9", "length 0", "1 to 65536");
        refused(new Bytes().text("QEVM").u32(3).u8(7).u32(-1), "length 4294967295");
        refused(new Bytes().text("QEVM").u32(3).u8(7).u32(65537), "length 65537");
        refused(new Bytes().text("QEVM").u32(3).u8(7).u32(1).u8(0xff), "no UTF-8", "at 9");
        refused(sub("configuration/else", 1), "unknown part 'configuration/else'", "at 16");
        refused(sub("configuration/uuid", 2), "version 2", "must be 1");
        refused(sub("configuration/capabilities", 1).u32(-1), "4294967295 capabilities", "0 to 2");
        refused(sub("configuration/capabilities", 1).u32(3), "3 capabilities", "0 to 2");
        refused(
                sub("configuration/capabilities", 1).u32(1).str8("xbzrle"),
                "unknown capability 'xbzrle'",
                "[x-ignore-shared, mapped-ram]");
        Bytes twice = sub("configuration/uuid", 1).u64(1).u64(2);
        refused(twice.u8(5).str8("configuration/uuid").u32(1), "comes twice");
    }

    @Test
    @Tag("STR-2")
    void checksThePageSize() throws IOException {
        for (int bits : new int[] {-1, 0, 7, 17, 63}) {
            Configuration bad = read(sub("configuration/target-page-bits", 1).u32(bits).u8(1));
            assertThatThrownBy(() -> StreamHeader.pageSize(bad))
                    .hasMessage(
                            "target-page-bits is %d, allowed are 8 to 16",
                            Integer.toUnsignedLong(bits));
        }
    }

    @Test
    @Tag("STR-2")
    void capabilitiesMustAgree() throws IOException {
        Configuration without = new Configuration("pc", List.of());
        Configuration with = StreamHeader.withCapabilities(without, MAPPED_RAM);
        StreamHeader.check(with, MAPPED_RAM);
        StreamHeader.check(without, Options.DEFAULTS);
        assertThatThrownBy(() -> StreamHeader.check(with, Options.DEFAULTS))
                .hasMessageContaining("mapped-ram, which is off here: set it");
        assertThatThrownBy(() -> StreamHeader.check(without, MAPPED_RAM))
                .hasMessageContaining("mapped-ram, which is on here: unset it");
        assertThat(StreamHeader.withCapabilities(with, Options.DEFAULTS).subsections()).isEmpty();
    }

    @Test
    @Tag("STR-2")
    void saysTheUuidOnlyWhereAskedAndAlwaysChecksIt() throws IOException {
        Configuration of = StreamHeader.of("pc", 4096, Optional.of(ID), VALIDATE);
        assertThat(of.subsections()).extracting(Subsection::name).contains("configuration/uuid");
        Optional<UUID> other = Optional.of(new UUID(1, 1));
        StreamHeader.checkUuid(of, Optional.of(ID));
        StreamHeader.checkUuid(of, Optional.empty());
        StreamHeader.checkUuid(of, Optional.of(StreamHeader.NO_UUID));
        assertThatThrownBy(() -> StreamHeader.checkUuid(of, other))
                .hasMessageContainingAll(ID.toString(), other.get().toString());
        assertThat(StreamHeader.of("pc", 4096, Optional.of(ID), Options.DEFAULTS).subsections())
                .isEmpty();
    }
}
