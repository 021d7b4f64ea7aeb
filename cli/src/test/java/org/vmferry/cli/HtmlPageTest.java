package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.cli.input.WindowedFile;
import org.vmferry.cli.map.BlockMap;
import org.vmferry.cli.map.RamMap;
import org.vmferry.engine.Engine;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.DeviceField;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;

/** What inspect --html writes; in a browser it is tried by {@link PageInBrowserTest}. */
class HtmlPageTest extends AtTerminal {
    private static final Pattern DATA =
            Pattern.compile("<script type=\"application/json\" id=\"data\">(.*?)</script>");

    @TempDir static Path originals;
    @TempDir Path directory;
    private Path page;

    @BeforeAll
    static void save() throws Exception {
        SmallMachine.saved(originals.resolve("vm.snap"), Format.MAPPED_RAM);
        SmallMachine.saved(originals.resolve("vm.stream"), Format.STREAM);
    }

    @BeforeEach
    void name() {
        page = directory.resolve("vm.html");
    }

    private static Path file(Format format) {
        return originals.resolve(format == Format.MAPPED_RAM ? "vm.snap" : "vm.stream");
    }

    @SuppressWarnings("unchecked") // Json makes them so
    static Map<String, Object> data(String html) throws Exception {
        Matcher data = DATA.matcher(html);
        assertThat(data.find()).isTrue();
        return (Map<String, Object>) Json.parse(data.group(1));
    }

    private Map<String, Object> written(Object... more) throws Exception {
        List<Object> line = new ArrayList<>(List.of("inspect", "--html", page));
        line.addAll(Arrays.asList(more));
        assertThat(run(line.toArray())).as(err.toString()).isZero();
        return data(Files.readString(page));
    }

    /** Nothing but the page: no scratch, no part of it. */
    private void assertOnlyThePage() throws Exception {
        try (var list = Files.list(directory)) {
            assertThat(list).containsExactly(page);
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachPageIsACellOfASmallBlock(Format format) throws Exception {
        Map<String, Object> data = written(file(format));
        assertThat(err.toString()).contains("vm.html: a page of ");
        assertThat(out.toString()).isEmpty();
        Map<?, ?> block = (Map<?, ?>) ((List<?>) data.get("blocks")).getFirst();
        assertThat(block.get("id")).isEqualTo("small.ram");
        assertThat(block.get("per")).isEqualTo(1L);
        assertThat(block.get("file")).isEqualTo(format == Format.MAPPED_RAM ? 1L << 20 : null);
        List<?> cells = (List<?>) block.get("cells");
        assertThat(cells).hasSize(4 * (8 + 1));
        List<?> third = (List<?>) cells.get(2);
        byte[] head = new byte[BlockMap.HEAD];
        Arrays.fill(head, (byte) 3);
        assertThat(third).isEqualTo(List.of("=1", 0L, Base64.getEncoder().encodeToString(head)));
        assertThat(cells.get(8)).as("pages 8 to 15").isEqualTo(8L);
        List<?> devices = (List<?>) data.get("devices");
        assertThat(devices).as("and globalstate").hasSize(3);
        assertThat(((List<?>) devices.get(1)).subList(0, 2)).isEqualTo(List.of("first", 1L));
        assertThat(devices.get(1).toString()).contains("00000001");
        assertOnlyThePage();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(page)))
                .as("there is guest memory in it")
                .isEqualTo("rw-------");
    }

    @Test
    void bothFormatsAndAPackedStreamShowTheSameRam() throws Exception {
        Object first = cells(written(file(Format.MAPPED_RAM)));
        Path packed = directory.resolve("vm.stream.gz");
        try (var to = new GZIPOutputStream(Files.newOutputStream(packed))) {
            Files.copy(file(Format.STREAM), to);
        }
        assertThat(cells(written(packed))).isEqualTo(first);
        Files.delete(packed);
        assertThat(cells(written(file(Format.STREAM)))).isEqualTo(first);
        assertOnlyThePage();
    }

    private static List<Object> cells(Map<String, Object> data) {
        List<Object> cells = new ArrayList<>();
        for (Object block : (List<?>) data.get("blocks"))
            cells.add(((Map<?, ?>) block).get("cells"));
        return cells;
    }

    /** Save images in libvirt's formats, streams of targets with pages of other sizes. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "libvirt/web.gzip.save.gz",
                "libvirt/web.bzip2.save.gz",
                "libvirt/web.xz.save.gz",
                "libvirt/web.zstd.save.gz",
                "pages/avr.stream.gz",
                "pages/microbit.stream.gz",
                "pages/or1k.stream.gz",
                "pages/tricore.stream.gz",
            })
    void whateverInspectReadsHasAPage(String name) throws Exception {
        Path image = directory.resolve("image");
        try (InputStream in = HtmlPageTest.class.getResourceAsStream(name)) {
            Files.copy(in, image);
        }
        assertThat(run("inspect", image, "--json")).as(err.toString()).isZero();
        Map<?, ?> inspected = (Map<?, ?>) Json.parse(out.toString());
        Map<String, Object> data = written(image);
        assertThat(data.get("pageSize")).isEqualTo(inspected.get("pageSize"));
        assertThat(((List<?>) data.get("devices")).size())
                .isEqualTo(((List<?>) inspected.get("devices")).size());
        List<?> blocks = (List<?>) data.get("blocks");
        for (int i = 0; i < blocks.size(); i++) {
            long shown = 0;
            for (Object cell : (List<?>) ((Map<?, ?>) blocks.get(i)).get("cells"))
                if (cell instanceof List<?> counts)
                    for (String count : counts.getFirst().toString().split("[^0-9]++"))
                        if (!count.isEmpty()) shown += Long.parseLong(count);
            Map<?, ?> block = (Map<?, ?>) ((List<?>) inspected.get("blocks")).get(i);
            assertThat(shown).as("%s", block.get("id")).isEqualTo(block.get("present"));
        }
        if (name.startsWith("libvirt"))
            assertThat(data.get("about").toString()).contains("save image of domain 'web&db'");
        Files.delete(image);
        assertOnlyThePage();
    }

    /** Of more than can be read again without that. */
    @Test
    void aPipesStreamIsKeptAndReadTwice() throws Exception {
        byte[] large = new byte[WindowedFile.WINDOW + (4 << 20)];
        new Random(1).nextBytes(large);
        RamBlock block = RamBlock.of("large", MemorySegment.ofArray(large), SmallMachine.PAGE);
        Path stream = directory.resolve("large");
        Engine.create()
                .send(new SmallMachine(block), "file:" + stream, Format.STREAM.settings())
                .await();
        Object fromFile = cells(written(stream));
        Files.delete(page);
        Process command =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "org.vmferry.cli.Main",
                                "inspect",
                                "-",
                                "--html",
                                page.toString())
                        .redirectError(directory.resolve("said").toFile())
                        .start();
        try (var in = command.getOutputStream()) {
            Files.copy(stream, in);
        }
        Files.delete(stream);
        assertThat(command.waitFor()).as(Files.readString(directory.resolve("said"))).isZero();
        Files.delete(directory.resolve("said"));
        assertThat(cells(data(Files.readString(page)))).isEqualTo(fromFile);
        assertOnlyThePage();
    }

    @Test
    void dashIsStandardOutput() throws Exception {
        assertThat(run("inspect", file(Format.MAPPED_RAM), "--html", "-")).isZero();
        assertThat(out.toString()).startsWith("<!DOCTYPE html>").endsWith("</html>\n");
        assertThat(data(out.toString())).containsEntry("pageSize", 4096L);
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void whatFailsLeavesTheOldPage() throws Exception {
        Files.writeString(page, "old");
        byte[] whole = Files.readAllBytes(file(Format.STREAM));
        Path cut = Files.write(directory.resolve("cut"), Arrays.copyOf(whole, whole.length / 2));
        assertThat(run("inspect", cut, "--html", page)).isEqualTo(1);
        assertThat(page).hasContent("old");
        Files.delete(cut);
        assertOnlyThePage();
        assertThat(run("inspect", page, "--html", page)).isEqualTo(1);
        assertThat(page).hasContent("old");
        Path copy = Files.copy(file(Format.STREAM), directory.resolve("copy"));
        assertThat(run("inspect", copy, "--html", copy)).isEqualTo(2);
        assertThat(copy).hasSameBinaryContentAs(file(Format.STREAM));
        assertThat(run("inspect", copy, "--html", page, "--json")).isEqualTo(2);
        assertThat(run("inspect", copy, "--html", page, "--device", "first")).isEqualTo(2);
    }

    /** All cells with something in them, devices of more than there is room for. */
    @Test
    void aGuestOf64GiBIsLessThan2MB() throws Exception {
        long pages = (64L << 30) / 4096;
        PageBitmap present = new PageBitmap(pages);
        for (long page = 0; page < pages; page += pages / 4096) present.set(page);
        List<Inspection.Block> blocks = new ArrayList<>();
        for (String id : List.of("pc.ram", "other.ram")) {
            blocks.add(
                    new Inspection.Block(
                            id,
                            64L << 30,
                            present,
                            Inspection.Content.WHOLE,
                            OptionalLong.empty(),
                            OptionalLong.of(1 << 20),
                            List.of(new Inspection.Range(0, 0, 64L << 30))));
        }
        List<Inspection.Device> devices = new ArrayList<>();
        for (int i = 0; i < 2000; i++) devices.add(new Inspection.Device("device" + i, i, 1, 4096));
        Inspection inspection =
                inspection(
                        blocks,
                        devices,
                        device -> {
                            throw MigrationException.user("%s", "nobody knows. ".repeat(20));
                        });
        RamMap map = new RamMap(blocks, 4096);
        Random random = new Random(1);
        for (Inspection.Block block : blocks)
            map.look(
                    block,
                    (offset, target) -> {
                        byte[] bytes = new byte[(int) target.byteSize()];
                        random.nextBytes(bytes);
                        target.asByteBuffer().put(bytes);
                    },
                    seen -> {});
        try (Snapshot snapshot = Snapshot.open(file(Format.MAPPED_RAM), 0)) {
            String html = HtmlPage.of(snapshot, inspection, map);
            assertThat(html.length()).isBetween(1_000_000, 2_000_000);
            Map<String, Object> data = data(html);
            assertThat(
                            (List<?>)
                                    ((Map<?, ?>) ((List<?>) data.get("blocks")).getFirst())
                                            .get("cells"))
                    .hasSize(4096);
            int shown = ((List<?>) data.get("devices")).size();
            assertThat(shown + (Long) data.get("devicesLeft")).isEqualTo(2000);
        }
    }

    private static Inspection inspection(
            List<Inspection.Block> blocks,
            List<Inspection.Device> devices,
            Inspection.Contents contents) {
        return new Inspection(
                "mapped-ram",
                "pc",
                4096,
                Set.of("mapped-ram"),
                blocks,
                devices,
                List.of(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                contents);
    }

    /** Nobody else is kept out by it. */
    @Test
    void aDeviceOfTooManyFieldsIsNamedWithTheCommandThatShowsIt() throws Exception {
        var huge = new Inspection.Device("it's huge", 0, 1, 400_000);
        var other = new Inspection.Device("other", 0, 1, 4);
        DeviceField field =
                new DeviceField(
                        "field",
                        OptionalInt.empty(),
                        "uint32",
                        0,
                        ByteBuffer.allocate(4),
                        Optional.of(BigInteger.ZERO),
                        List.of(),
                        "");
        Inspection inspection =
                inspection(
                        List.of(),
                        List.of(huge, other),
                        device -> Collections.nCopies(device == huge ? 3000 : 1, field));
        try (Snapshot snapshot = Snapshot.open(file(Format.MAPPED_RAM), 0)) {
            var data = data(HtmlPage.of(snapshot, inspection, new RamMap(List.of(), 4096)));
            List<?> devices = (List<?>) data.get("devices");
            assertThat(devices.getFirst().toString())
                    .endsWith(
                            "left out, to keep this page small: vmferry inspect FILE --device"
                                    + " 'it'\\''s huge', []]");
            assertThat(devices.getLast().toString()).contains("[field, uint32, 0, 4, 1, 00000000");
        }
    }

    @Test
    void thePagesPartsAreAscii() throws Exception {
        for (String part : List.of("page.html", "page.css", "page.js")) {
            try (InputStream in = HtmlPage.class.getResourceAsStream(part)) {
                for (byte b : in.readAllBytes()) assertThat(b).as(part).isPositive();
            }
        }
    }
}
