package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** A store may be anybody's: what it gives back is checked as it is written. */
@Tag("STR-22")
class KeptSectionsTest {
    private final ListStore store = new ListStore();
    private final List<Section> sections = store.sections;

    private KeptSectionsTest keeps(Kind kind, String id, int... payload) {
        ByteBuffer bytes = ByteBuffer.wrap(new Bytes().u8(payload).array());
        sections.add(new Section(kind, id, 5, 2, bytes));
        return this;
    }

    /** Writes all of it, with a byte where each of RAM's sections stood. */
    private byte[] written(boolean withParts) throws IOException {
        MemoryChannel channel = new MemoryChannel(new byte[0], 1000);
        try (StreamOut out = new StreamOut(channel)) {
            KeptSections kept = new KeptSections(out, store, new Configuration("m", List.of()));
            assertThat(kept.toRam(Kind.START)).isEqualTo(Kind.START);
            out.u8(0xf1);
            assertThat(kept.toRam(Kind.PART)).isEqualTo(withParts ? Kind.PART : Kind.END);
            out.u8(0xf2);
            if (withParts) {
                assertThat(kept.toRam(Kind.END)).isEqualTo(Kind.END);
                out.u8(0xf3);
            }
            kept.rest(RunState.PAUSED);
            out.flush();
        }
        return channel.written();
    }

    private void refused(String... sentence) {
        assertThatThrownBy(() -> written(false))
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll(sentence)
                .extracting(e -> ((MigrationException) e).blame())
                .isEqualTo(Blame.HOST);
    }

    @Test
    void eachStandsWhereItCame() throws IOException {
        keeps(Kind.FULL, "early", 9).keeps(Kind.START, "map").keeps(Kind.START, Wire.RAM);
        keeps(Kind.PART, "map", 1).keeps(Kind.PART, Wire.RAM).keeps(Kind.PART, Wire.RAM);
        keeps(Kind.PART, "map", 2).keeps(Kind.END, Wire.RAM);
        keeps(Kind.END, "map", 3).keeps(Kind.FULL, "map", 4);
        Bytes expected = new Bytes().full(2, "early", 5, 2, (byte) 9);
        expected.u8(1).u32(3).str8("map").u32(5).u32(2).footer(3).u8(0xf1);
        expected.u8(2).u32(3).u8(1).footer(3).u8(0xf2);
        expected.u8(2).u32(3).u8(2).footer(3).u8(0xf3);
        expected.u8(3).u32(3).u8(3).footer(3).full(4, "map", 5, 2, (byte) 4);
        assertThat(written(true)).isEqualTo(expected.array());
    }

    /** Of a guest without pages. */
    @Test
    void ramMayHaveNoPart() throws IOException {
        keeps(Kind.START, Wire.RAM).keeps(Kind.END, Wire.RAM);
        assertThat(written(false)).isEqualTo(new Bytes().u8(0xf1, 0xf2).array());
    }

    @Test
    void whatIsNoMachineIsRefused() {
        keeps(Kind.FULL, "d");
        refused("say nowhere where RAM's START stood");
        sections.clear();
        keeps(Kind.FULL, Wire.RAM).keeps(Kind.START, Wire.RAM).keeps(Kind.END, Wire.RAM);
        refused("say nowhere where RAM's START stood");
        sections.clear();
        keeps(Kind.START, Wire.RAM).keeps(Kind.END, Wire.RAM).keeps(Kind.END, Wire.RAM);
        refused("have RAM behind its end");
        sections.clear();
        keeps(Kind.START, Wire.RAM).keeps(Kind.PART, "map");
        refused("section 'map' instance 5", "is not open");
        sections.clear();
        keeps(Kind.START, "map").keeps(Kind.END, "map").keeps(Kind.PART, "map");
        keeps(Kind.START, Wire.RAM).keeps(Kind.END, Wire.RAM);
        refused("section 'map' instance 5", "is not open");
        store.keepDescription(new byte[] {'{'});
        refused("VMDESCRIPTION");
    }
}
