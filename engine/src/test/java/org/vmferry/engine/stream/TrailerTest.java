package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.Address;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.zip.CRC32C;

class TrailerTest {
    private static final UUID ID = UUID.fromString("4dea22b3-1d52-d8f3-2516-782e98ab3fa0");

    /** RAM, and then what the sum begins with. */
    private static final byte[] RAM = "pages of RAM".getBytes(StandardCharsets.US_ASCII);

    private static final byte[] TAIL = tail("{\"devices\": []}");

    @TempDir Path folder;

    /** A stream's last bytes: an EOF and a VMDESCRIPTION. */
    private static byte[] tail(String json) {
        ByteBuffer tail = ByteBuffer.allocate(6 + json.length());
        tail.put((byte) Wire.EOF).put((byte) Wire.VMDESCRIPTION).putInt(json.length());
        return tail.put(json.getBytes(StandardCharsets.US_ASCII)).array();
    }

    private static RamBlock block(String id) {
        return RamBlock.of(id, MemorySegment.ofArray(new byte[4096]), 4096);
    }

    private static Trailer trailer(Fact... kept) throws MigrationException {
        return Trailer.of("test", Optional.of(ID), List.of(block("pc.ram")), List.of(kept));
    }

    private static byte[] encode(Trailer trailer, byte[] tail) {
        CRC32C before = new CRC32C();
        before.update(tail);
        return trailer.encode(before);
    }

    private Trailer read(byte[] tail, byte[] behind) throws IOException {
        var all = new ByteArrayOutputStream();
        for (byte[] part : List.of(RAM, tail, behind)) all.writeBytes(part);
        Path file = Files.write(folder.resolve("vm"), all.toByteArray());
        try (var end =
                new LocalFileTransport()
                        .incoming(Address.parse("file:" + file), Options.DEFAULTS)) {
            return Trailer.read(end.file(false), RAM.length, RAM.length + tail.length);
        }
    }

    /** With a sum that is right, whatever the text says. */
    private Trailer readText(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        CRC32C sum = new CRC32C();
        sum.update(TAIL);
        sum.update(bytes);
        var all = new ByteArrayOutputStream();
        all.writeBytes(bytes);
        all.writeBytes(
                "crc32c %08x\n".formatted(sum.getValue()).getBytes(StandardCharsets.US_ASCII));
        return read(TAIL, all.toByteArray());
    }

    @Test
    @Tag("TRL-2")
    @Tag("TRL-3")
    @Tag("TRL-4")
    void theTextIsThis() throws IOException {
        CRC32C sum = new CRC32C();
        sum.update(TAIL);
        String text =
                "vmferry 1\nwriter test\nuuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa0\n"
                        + "missing-ram pc.ram\nnew thing\n";
        sum.update(text.getBytes(StandardCharsets.US_ASCII));
        assertThat(encode(trailer(new Fact("new", "thing")), TAIL))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(text + "crc32c %08x\n".formatted(sum.getValue()));
    }

    @Test
    @Tag("TRL-1")
    void whatWasWrittenIsRead() throws IOException {
        Trailer written = trailer(new Fact("new-key.2", "grüße  ≈ %"), new Fact("empty", ""));
        Trailer found = read(TAIL, encode(written, TAIL));
        assertThat(found).isEqualTo(written);
        assertThat(found.writer()).contains("test");
        assertThat(found.uuid()).contains(ID);
        assertThat(found.missing()).extracting(Trailer.Missing::id).containsExactly("pc.ram");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pc.ram", "/rom@etc/acpi/tables", " ", "a b%41\n\0", "ü\u0085\u007f%"})
    @Tag("TRL-5")
    void anyNameIsOneWord(String name) throws IOException {
        byte[] bytes =
                encode(Trailer.of("test", Optional.empty(), List.of(block(name)), List.of()), TAIL);
        assertThat(bytes).doesNotContain(0);
        assertThat(new String(bytes, StandardCharsets.UTF_8).lines()).hasSize(4);
        assertThat(read(TAIL, bytes).missing())
                .extracting(Trailer.Missing::id)
                .containsExactly(name);
    }

    @Test
    @Tag("TRL-5")
    void aGuestAddressHas64Bits() throws IOException {
        Trailer found = readText("vmferry 1\nmissing-ram a%20b 0xfffffffffffff000\n");
        assertThat(found.missing().getFirst().id()).isEqualTo("a b");
        assertThat(found.missing().getFirst().guestAddress()).hasValue(-4096);
    }

    @Test
    @Tag("TRL-6")
    void whatOthersSaidIsKeptAndWhatIsOursIsSaidAnew() throws IOException {
        List<Fact> kept =
                List.of(
                        new Fact("later", "2"),
                        new Fact("writer", "old"),
                        new Fact("missing-ram", "gone"),
                        new Fact("later", "1"));
        assertThat(Trailer.of("new", Optional.empty(), List.of(), kept).facts())
                .containsExactly(
                        new Fact("writer", "new"), new Fact("later", "2"), new Fact("later", "1"));
    }

    @Test
    @Tag("TRL-2")
    void whatIsTooLongIsNotWritten() throws IOException {
        Fact most = new Fact("key", "x".repeat(Trailer.LONGEST - 125));
        assertThat(encode(trailer(most), TAIL)).hasSizeLessThanOrEqualTo(Trailer.LONGEST);
        assertThat(read(TAIL, encode(trailer(most), TAIL))).isEqualTo(trailer(most));
        assertThatThrownBy(() -> trailer(new Fact("key", "x".repeat(Trailer.LONGEST))))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("allowed are 65536");
    }

    @Test
    @Tag("TRL-8")
    void whatStandsBehindItIsNotLookedAt() throws IOException {
        byte[] bytes = encode(trailer(), TAIL);
        byte[] more = Arrays.copyOf(bytes, bytes.length + 5000);
        Arrays.fill(more, bytes.length, more.length, (byte) 0xa5);
        assertThat(read(TAIL, more)).isEqualTo(trailer());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\0\0\0\0\0\0\0\0\0", "QEVM", "vmfer\0y 1\n", "vmferry"})
    @Tag("TRL-8")
    void whatBeginsOtherwiseIsNone(String bytes) throws IOException {
        Trailer found = read(TAIL, bytes.getBytes(StandardCharsets.ISO_8859_1));
        if (bytes.equals("vmferry")) assertThat(found.damage()).isPresent();
        else assertThat(found).isEqualTo(Trailer.NONE);
    }

    @Test
    @Tag("TRL-3")
    @Tag("TRL-8")
    void anOlderSnapshotsIsToldApart() throws IOException {
        byte[] old = encode(trailer(), tail("{\"devices\": [1]}"));
        Trailer found = read(tail("{\"devices\": [2]}"), old);
        assertThat(found.facts()).isEmpty();
        assertThat(found.damage().orElseThrow())
                .contains("another snapshot's")
                .contains("at " + (RAM.length + TAIL.length + 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vmferry 2\n",
                "vmferry 1 \n",
                "vmferry 1\nnokey\n",
                "vmferry 1\nKey value\n",
                "vmferry 1\n\n",
                "vmferry 1\nkey a\0b\n",
                "vmferry 1\nkey a\tb\n",
                "vmferry 1\nkey \u00ff\n",
                "vmferry 1\nkey value\r\n",
                "vmferry 1\nuuid 1-2-3-4-5\n",
                "vmferry 1\nuuid nonsense\n",
                "vmferry 1\nuuid \n",
                "vmferry 1\nuuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa0 \n",
                "vmferry 1\nuuid 4dea22b3-1d52-d8f3-2516-782e98ab3fa0\n"
                        + "uuid 5dea22b3-1d52-d8f3-2516-782e98ab3fa0\n",
                "vmferry 1\nmissing-ram\n",
                "vmferry 1\nmissing-ram a%4\n",
                "vmferry 1\nmissing-ram %ff\n",
                "vmferry 1\nmissing-ram a b\n",
                "vmferry 1\nmissing-ram a 0x11112222333344445\n",
            })
    @Tag("TRL-8")
    void nonsenseIsNamedAndSaysNothing(String text) throws IOException {
        Trailer found = readText(text);
        assertThat(found.facts()).isEmpty();
        assertThat(found.damage().orElseThrow()).startsWith("the trailer at ").hasSizeLessThan(200);
    }

    @Test
    @Tag("TRL-8")
    void itsDamageDrivesNoTerminal() throws IOException {
        String damage = readText("vmferry 1\nno\u202ekey\u001b[2J\n").damage().orElseThrow();
        assertThat(damage).contains("no?key").doesNotContain("\u202e", "\u001b");
    }

    @Test
    @Tag("TRL-8")
    void everyByteCounts() throws IOException {
        byte[] whole = encode(trailer(new Fact("key", "value")), TAIL);
        for (int at = 0; at < whole.length; at++) {
            for (int value : new int[] {0, ' ', '\n', whole[at] ^ 1, 0xff}) {
                byte[] bytes = whole.clone();
                bytes[at] = (byte) value;
                if (bytes[at] == whole[at]) continue;
                assertThat(read(TAIL, bytes).facts()).as("%d at %d", value, at).isEmpty();
            }
            assertThat(read(TAIL, Arrays.copyOf(whole, at)).facts()).as("cut at %d", at).isEmpty();
        }
        byte[] endless = new byte[Trailer.LONGEST + 1000];
        Arrays.fill(endless, (byte) 'a');
        System.arraycopy(whole, 0, endless, 0, 10);
        assertThat(read(TAIL, endless).damage().orElseThrow()).contains("65536 bytes");
    }

    /** As analyze-migration.py does: the description's length has the file's last NUL. */
    @Test
    @Tag("TRL-2")
    void theDescriptionIsStillFoundFromTheEnd() throws IOException {
        read(TAIL, encode(trailer(new Fact("key", "{\"a\": 1}")), TAIL));
        byte[] file = Files.readAllBytes(folder.resolve("vm"));
        int last = file.length - 1;
        while (file[last] != 0) last--;
        int length = file[last + 1] & 0xff;
        assertThat(Json.parse(Arrays.copyOfRange(file, last + 2, last + 2 + length)))
                .isEqualTo(Map.of("devices", List.of()));
    }
}
