package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.zip.CRC32C;

/** What a file says beside QEMU's format, and what the commands make of RAM that is not in it. */
class MissingRamTest extends AtTerminal {
    private static final int PAGE = SmallMachine.PAGE;
    private static final String ODD = "shared % ram";

    @TempDir Path directory;
    private final Engine engine = Engine.create();
    private Path stream; // of a machine that left out a block

    /** Two pages, shared, at a guest address. */
    private record Shared(int content) implements RamBlock {
        @Override
        public String id() {
            return ODD;
        }

        @Override
        public long usedLength() {
            return 2 * PAGE;
        }

        @Override
        public int pageSize() {
            return PAGE;
        }

        @Override
        public boolean shared() {
            return true;
        }

        @Override
        public OptionalLong guestAddress() {
            return OptionalLong.of(0x1_0000_0000L);
        }

        @Override
        public void read(long offset, MemorySegment target) {
            target.fill((byte) content);
        }

        @Override
        public void write(long offset, MemorySegment source) {}
    }

    @BeforeEach
    void save() throws Exception {
        stream = directory.resolve("vm.stream");
        engine.send(
                        new SmallMachine(new Shared(7)),
                        "file:" + stream,
                        Settings.NONE.capability("x-ignore-shared"))
                .await();
    }

    /** In mapped-ram a file said so that an older version has written. */
    private Path lacking(Format format) throws Exception {
        Path file = directory.resolve("lacking." + format);
        if (format == Format.STREAM) {
            assertThat(run("convert", stream, file, "--format", format)).as(err::toString).isZero();
            assertThat(err.toString()).contains("block '" + ODD + "' is missing");
            return file;
        }
        engine.send(new SmallMachine(new Shared(0)), "file:" + file, format.settings()).await();
        byte[] all = Files.readAllBytes(file);
        String text = new String(all, StandardCharsets.ISO_8859_1);
        byte[] before = Arrays.copyOf(all, text.lastIndexOf("vmferry 1\n"));
        int tail = text.lastIndexOf("\u007e\0\0\0\1") + 5; // behind the footer of ram's END
        byte[] says = ascii("vmferry 1\nmissing-ram shared%20%25%20ram 0x100000000\n");
        CRC32C sum = new CRC32C();
        sum.update(before, tail, before.length - tail);
        sum.update(says);
        Files.write(file, before);
        Files.write(file, says, StandardOpenOption.APPEND);
        byte[] last = ascii("crc32c %08x\n".formatted(sum.getValue()));
        Files.write(file, last, StandardOpenOption.APPEND);
        return file;
    }

    @ParameterizedTest
    @EnumSource
    @Tag("TRL-7")
    void itIsSaidByEveryCommand(Format format) throws Exception {
        Path file = lacking(format);
        assertThat(run("verify", file)).isEqualTo(3);
        assertThat(out.toString())
                .contains(": sound: ", ": not whole: the RAM of block '" + ODD + "' (8 KiB)");
        assertThat(run("verify", file, "--quiet")).isEqualTo(3);

        assertThat(run("inspect", file)).isZero();
        assertThat(out.toString()).contains(ODD + "                  8 KiB  missing: ");
        assertThat(run("inspect", file, "--json")).isZero();
        Map<?, ?> tree = (Map<?, ?>) Json.parse(out.toString());
        List<?> blocks = (List<?>) tree.get("blocks");
        assertThat(((Map<?, ?>) blocks.getFirst()).get("missing")).isEqualTo(false);
        assertThat(((Map<?, ?>) blocks.getLast()).get("missing")).isEqualTo(true);
        assertThat(((List<?>) tree.get("facts")).getLast())
                .isEqualTo(Map.of("key", "missing-ram", "value", "shared%20%25%20ram 0x100000000"));

        Path raw = directory.resolve("raw");
        assertThat(run("extract", file, "--block", ODD, "-o", raw)).isEqualTo(1);
        assertThat(err.toString()).contains("block '" + ODD + "' is not in " + file);
        assertThat(raw).doesNotExist();
        assertThat(run("extract", file, "--block", "small.ram", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(new SmallMachine().ram);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("TRL-7")
    void aDestinationMustBeToldOrGetsNothing(Format format) throws Exception {
        Path file = lacking(format);
        Path sent = directory.resolve("sent");
        for (String uri : List.of("unix:" + directory.resolve("nobody"), "file:" + sent)) {
            assertThat(run("send", file, uri)).isEqualTo(1);
            assertThat(err.toString()).contains("block '" + ODD + "'", "Set x-ignore-shared");
        }
        assertThat(sent).doesNotExist();
        // As its source sent it: the guest address has come along, too.
        assertThat(run("send", file, "file:" + sent, "-c", "x-ignore-shared")).isZero();
        assertThat(sent).hasSameBinaryContentAs(stream);
    }

    /** Where the devices can't be told apart nobody knows what is said behind them. */
    @Test
    @Tag("TRL-7")
    void whereItCantBeToldItIsNoZeros() throws Exception {
        Path file = lacking(Format.MAPPED_RAM);
        byte[] all = Files.readAllBytes(file);
        int name = new String(all, StandardCharsets.ISO_8859_1).lastIndexOf("\"first\"");
        all[name + 1] = 'F';
        Files.write(file, all);
        Path raw = directory.resolve("raw");
        assertThat(run("extract", file, "--block", ODD, "-o", raw)).isEqualTo(1);
        assertThat(err.toString()).contains("block '" + ODD + "' can't be told from what is not");
        assertThat(raw).doesNotExist();
    }

    /** A QEMU would load it without a word. */
    @ParameterizedTest
    @EnumSource
    @Tag("TRL-7")
    void intoMappedRamItIsNotWritten(Format from) throws Exception {
        Path file = lacking(from);
        Path none = directory.resolve("none");
        assertThat(run("convert", file, none, "--format", "mapped-ram")).isEqualTo(1);
        assertThat(err.toString()).contains("block '" + ODD + "' is missing", "Write a stream");
        assertThat(run("send", file, "file:" + none, "-c", "mapped-ram")).isEqualTo(1);
        assertThat(none).doesNotExist();
        Path again = directory.resolve("again");
        assertThat(run("convert", file, again, "--format", "stream")).as(err::toString).isZero();
        assertThat(again).hasSameBinaryContentAs(stream);
    }

    @Test
    @Tag("TRL-7")
    void whatIsReceivedLacksItToo() throws IOException {
        Path received = directory.resolve("received");
        assertThat(run("receive", "file:" + stream, "-o", received, "-c", "x-ignore-shared"))
                .as(err.toString())
                .isZero();
        assertThat(err.toString())
                .contains("the RAM of block '" + ODD + "' is missing", "as a plain stream");
        assertThat(run("verify", received)).isEqualTo(3);
        assertThat(received).hasSameBinaryContentAs(stream);
    }

    @Test
    @Tag("MAP-16")
    void theTwoAreNeverWrittenTogether() {
        Path sent = directory.resolve("sent");
        assertThat(run("send", stream, "file:" + sent, "-c", "x-ignore-shared", "-c", "mapped-ram"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("x-ignore-shared and mapped-ram can't");
        assertThat(sent).doesNotExist();
    }

    /** What a newer QEMU writes, out of a file of ours: both capabilities, and guest addresses. */
    private Path pair(long sharedOffsets) throws Exception {
        Path file = directory.resolve("pair");
        SmallMachine.saved(file, Format.MAPPED_RAM);
        byte[] old = Files.readAllBytes(file);
        String text = new String(old, StandardCharsets.ISO_8859_1);
        int rom = text.indexOf("\12/rom@small");
        byte[] bitmap = Arrays.copyOfRange(old, text.indexOf("\11small.ram") + 46, 0x1000);
        ByteBuffer all = ByteBuffer.wrap(old.clone());
        all.putInt(0x5145564d).putInt(3).put((byte) 7).putInt(5).put(ascii("small"));
        all.put((byte) 5);
        str8(all, "configuration/capabilities").putInt(1).putInt(2);
        str8(str8(all, "x-ignore-shared"), "mapped-ram");
        all.put((byte) 1).putInt(1);
        str8(all, "ram").putInt(0).putInt(4).putLong(67L * PAGE | 4);
        str8(all, ODD).putLong(2 * PAGE).putLong(0x1_0000_0000L);
        all.putInt(1).putLong(PAGE).putLong(sharedOffsets).putLong(sharedOffsets);
        str8(all, "small.ram").putLong(64 * PAGE).putLong(0);
        all.putInt(1).putLong(PAGE).putLong(all.position() + 16).putLong(1 << 20);
        all.put(bitmap, 0, 8);
        // The second block's bitmap is all zero, as what follows its header is.
        all.position(rom);
        str8(all, "/rom@small").putLong(PAGE).putLong(0xc0000);
        long pages = ByteBuffer.wrap(old).getLong(rom + 11 + 8 + 20);
        all.putInt(1).putLong(PAGE).putLong(all.position() + 16).putLong(pages).putLong(0);
        Files.write(file, all.array());
        return file;
    }

    @ParameterizedTest
    @EnumSource
    void thePageSaysThatItIsMissing(Format format) throws Exception {
        Path page = directory.resolve("page");
        assertThat(run("inspect", lacking(format), "--html", page)).as(err::toString).isZero();
        Map<String, Object> data = HtmlPageTest.data(Files.readString(page));
        assertThat(data.get("problems").toString()).contains("Missing: the RAM of 1 block");
        List<?> blocks = (List<?>) data.get("blocks");
        assertThat(((Map<?, ?>) blocks.getFirst()).containsKey("cells")).isTrue();
        Map<?, ?> missing = (Map<?, ?>) blocks.getLast();
        assertThat(missing.get("id")).isEqualTo(ODD);
        assertThat(missing.get("why"))
                .isEqualTo("Its RAM is missing: its source left it out as shared memory.");
        assertThat(missing.containsKey("cells")).isFalse();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static ByteBuffer str8(ByteBuffer to, String text) {
        return to.put((byte) text.length()).put(ascii(text));
    }

    @Test
    @Tag("MAP-18")
    void aNewerQemusFileIsReadButForItsSharedBlocks() throws Exception {
        Path file = pair(0);
        assertThat(run("verify", file)).as(err.toString()).isEqualTo(3);
        assertThat(out.toString()).contains("RAM of block '" + ODD + "'").hasLineCount(2);
        Path raw = directory.resolve("raw");
        assertThat(run("extract", file, "--block", ODD, "-o", raw)).isEqualTo(1);
        assertThat(run("extract", file, "--block", "small.ram", "-o", raw)).isZero();
        assertThat(raw).hasBinaryContent(new SmallMachine().ram);
        Path plain = directory.resolve("plain");
        assertThat(run("convert", file, plain, "--format", "stream")).as(err.toString()).isZero();
        assertThat(run("verify", plain)).isEqualTo(3);

        assertThat(run("verify", pair(8192))).isEqualTo(1);
        assertThat(err.toString()).contains(ODD);
    }

    /** A host: the small machine, with a block that a file may lack. */
    private static final class Host implements Machine {
        private final SmallMachine small = new SmallMachine();
        private final List<RamBlock> blocks = new ArrayList<>(small.ram().blocks());
        private RunState state = RunState.INMIGRATE;

        Host(RamBlock odd) {
            Arrays.fill(small.ram, (byte) 0);
            blocks.addFirst(odd);
        }

        @Override
        public String type() {
            return small.type();
        }

        @Override
        public RunState runState() {
            return state;
        }

        @Override
        public void enter(RunState next) {
            state = next;
        }

        @Override
        public RamProvider ram() {
            return () -> blocks;
        }

        @Override
        public List<DeviceState> devices() {
            return small.devices();
        }
    }

    /** It says by its block that it shares this memory, and by a capability that it wants to. */
    @Test
    @Tag("MAP-18")
    @Tag("TRL-7")
    void aHostLoadsANewerQemusFileOnlyWhereTheRamIs() throws Exception {
        String file = "file:" + pair(0);
        Settings pair = Format.MAPPED_RAM.settings().capability("x-ignore-shared");
        Host shares = new Host(new Shared(7));
        engine.receive(shares, file, pair).await();
        assertThat(shares.small.ram).isEqualTo(new SmallMachine().ram);
        assertThat(shares.state).isEqualTo(RunState.PAUSED);

        byte[] own = new byte[2 * PAGE];
        Host lacks = new Host(RamBlock.of(ODD, MemorySegment.ofArray(own), PAGE));
        Host unasked = new Host(new Shared(7));
        Map<Host, Settings> refused = Map.of(lacks, pair, unasked, Format.MAPPED_RAM.settings());
        for (Host host : refused.keySet()) {
            Migration load = engine.receive(host, file, refused.get(host));
            assertThatExceptionOfType(MigrationException.class)
                    .isThrownBy(load::await)
                    .withMessageContaining("x-ignore-shared");
            assertThat(host.state).isEqualTo(RunState.INMIGRATE);
        }
    }

    private void carry(Path from, Path to, Format format, List<Fact> more) throws Exception {
        try (var archive = ArchiveMachine.in(directory)) {
            engine.receive(archive, "file:" + from, Settings.NONE).await();
            var store = archive.sections();
            List<Fact> facts = new ArrayList<>(store.facts());
            facts.addAll(more);
            store.keepFacts(facts);
            engine.send(archive, "file:" + to, format.settings()).await();
        }
    }

    @Test
    @Tag("TRL-6")
    void whatNobodyKnowsIsCarriedOn() throws Exception {
        Path file = directory.resolve("one");
        String uuid = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0";
        List<Fact> more = List.of(new Fact("uuid", uuid), new Fact("from-1.7", "grüße"));
        Path whole = directory.resolve("whole");
        SmallMachine.saved(whole, Format.STREAM);
        carry(whole, file, Format.MAPPED_RAM, more);
        Path two = directory.resolve("two");
        assertThat(run("convert", file, two, "--format", "stream")).isZero();
        Path three = directory.resolve("three");
        assertThat(run("convert", two, three, "--format", "mapped-ram")).isZero();
        assertThat(three).hasSameBinaryContentAs(file);
        assertThat(run("inspect", three)).isZero();
        assertThat(out.toString())
                .contains("uuid          " + uuid)
                .contains("from-1.7      grüße")
                .contains("writer        vmferry ");
    }

    @Test
    @Tag("TRL-8")
    void aDamagedOneIsNamedAndElseIgnored() throws Exception {
        Path whole = directory.resolve("whole");
        SmallMachine.saved(whole, Format.MAPPED_RAM);
        assertThat(run("verify", whole)).isZero();
        byte[] bytes = Files.readAllBytes(whole);
        bytes[bytes.length - 2] ^= 1;
        Files.write(whole, bytes);
        assertThat(run("verify", whole)).isEqualTo(3);
        assertThat(out.toString()).contains("sound", "not whole: the trailer at ", "crc32c");
        assertThat(run("inspect", whole, "--json")).isZero();
        Map<?, ?> tree = (Map<?, ?>) Json.parse(out.toString());
        assertThat(tree.get("facts")).isEqualTo(List.of());
        assertThat(tree.get("damage").toString()).startsWith("the trailer at ");
        Path converted = directory.resolve("converted");
        assertThat(run("convert", whole, converted, "--format", "mapped-ram")).isZero();
        assertThat(run("verify", converted)).isZero();
    }

    /** A device is not cut: what stood there before stands behind the new stream. */
    @Test
    @Tag("TRL-3")
    void oldBytesBehindItAreNobodys() throws Exception {
        Path file = directory.resolve("whole");
        SmallMachine.saved(file, Format.STREAM);
        byte[] one = Files.readAllBytes(file);
        byte[] old = Files.readAllBytes(stream);
        String text = new String(one, StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf("vmferry 1\n");
        int from = new String(old, StandardCharsets.ISO_8859_1).lastIndexOf("vmferry 1\n");
        // Its own trailer, and then an older snapshot's.
        byte[] both = Arrays.copyOf(one, one.length + old.length);
        System.arraycopy(old, from, both, one.length, old.length - from);
        Files.write(file, both);
        assertThat(run("verify", file)).isZero();
        // None of its own, as a QEMU would write it; its first device says something else.
        byte[] stale = Arrays.copyOf(one, end + old.length - from);
        System.arraycopy(old, from, stale, end, old.length - from);
        stale[text.indexOf("\5first") + 6 + 12] ^= 1;
        Files.write(file, stale);
        assertThat(run("verify", file)).isEqualTo(3);
        assertThat(out.toString()).contains("another snapshot's").doesNotContain(ODD);
    }
}
