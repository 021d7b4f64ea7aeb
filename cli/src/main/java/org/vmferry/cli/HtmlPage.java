package org.vmferry.cli;

import org.vmferry.cli.map.BlockMap;
import org.vmferry.cli.map.PageKind;
import org.vmferry.cli.map.RamMap;
import org.vmferry.engine.json.Json;
import org.vmferry.engine.report.DeviceField;
import org.vmferry.engine.report.Inspection;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a snapshot holds as one page of HTML, in ASCII: it needs nothing but a browser, and loads
 * nothing. What the snapshot says is in it as JSON, which the page's script shows as text; the
 * page's policy lets no other script run, whatever the snapshot says.
 */
final class HtmlPage {
    /** Characters that devices may take: with all cells of the maps there is 2 MB at the most. */
    private static final int ROOM = 700_000;

    /** Of which one may take a part, so that others are seen, too. */
    private static final int ROOM_OF_ONE = ROOM / 4;

    private static final int LEAST = 120; // a device without fields, or a field

    private final Snapshot snapshot;
    private final Inspection inspection;
    private final RamMap ram;
    private int room = ROOM;
    private int roomOfOne;

    private HtmlPage(Snapshot snapshot, Inspection inspection, RamMap ram) {
        this.snapshot = snapshot;
        this.inspection = inspection;
        this.ram = ram;
    }

    /**
     * Makes it.
     *
     * @param inspection with what is in all devices
     * @param ram looked at
     */
    static String of(Snapshot snapshot, Inspection inspection, RamMap ram) throws IOException {
        String style = resource("page.css");
        String script = resource("page.js");
        String policy =
                "default-src 'none'; base-uri 'none'; form-action 'none'; style-src '%s'; script-src '%s'"
                        .formatted(hash(style), hash(script));
        Object data = new HtmlPage(snapshot, inspection, ram).data();
        // The data come last: what looks like a place to be filled in them stays as it is.
        return resource("page.html")
                .replace("{{policy}}", policy)
                .replace("{{style}}", style)
                .replace("{{script}}", script)
                .replace("{{data}}", Json.writeAscii(data).replace("<", "\\u003c"));
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    private static String hash(String text) {
        try {
            byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(bytes);
            return "sha256-" + Base64.getEncoder().encodeToString(sum);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private Map<String, Object> data() {
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("title", line(snapshot.path().toString()));
        List<Object> about = new ArrayList<>();
        about.add(List.of("format", Format.of(inspection).described()));
        InspectionView.facts(
                snapshot, inspection, (name, value) -> about.add(List.of(line(name), line(value))));
        data.put("about", about);
        data.put("problems", problems());
        data.put("pageSize", inspection.pageSize());
        data.put(
                "kinds",
                Arrays.stream(PageKind.values())
                        .map(kind -> List.of(kind.letter() + "", kind.said()))
                        .toList());
        List<Inspection.Block> blocks = inspection.blocks();
        data.put("blocks", blocks.stream().limit(RamMap.MOST_BLOCKS).map(this::block).toList());
        data.put("blocksLeft", Math.max(0, blocks.size() - RamMap.MOST_BLOCKS));
        List<Object> devices = new ArrayList<>();
        for (Inspection.Device device : inspection.devices()) {
            if (room < LEAST) break;
            devices.add(device(device));
        }
        data.put("devices", devices);
        data.put("devicesLeft", inspection.devices().size() - devices.size());
        return data;
    }

    private static String line(String text) {
        return Printable.line(text);
    }

    private List<String> problems() {
        List<String> problems = new ArrayList<>();
        inspection.lost().ifPresent(lost -> problems.add("Lost: " + line(lost)));
        inspection.damage().ifPresent(damage -> problems.add("Damage: " + line(damage)));
        long missing = inspection.blocks().stream().filter(Inspection.Block::missing).count();
        if (missing > 0)
            problems.add(
                    "Missing: the RAM of %s, see below".formatted(Text.count(missing, "block")));
        return problems;
    }

    private Map<String, Object> block(Inspection.Block block) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("id", line(block.id()));
        one.put("bytes", block.usedLength());
        List<Object> guest = new ArrayList<>();
        for (Inspection.Range range : block.guest())
            guest.add(List.of(hex(range.address()), hex(range.offset()), hex(range.length())));
        one.put("guest", guest);
        if (!ram.has(block)) {
            one.put(
                    "why",
                    block.missing()
                            ? "Its RAM is missing: " + Text.why(block.content()) + "."
                            : "Not drawn: there are too many blocks.");
            return one;
        }
        BlockMap map = ram.of(block);
        one.put("pages", block.present().pages());
        one.put("per", map.pagesInCell());
        var position = block.pagesPosition();
        one.put("file", position.isPresent() ? position.getAsLong() : null);
        one.put("cells", cells(map));
        return one;
    }

    private static String hex(long number) {
        return "0x" + Long.toHexString(number);
    }

    /** Of neighbouring cells that are zero how many they are; of others what is in them. */
    private static List<Object> cells(BlockMap map) {
        List<Object> cells = new ArrayList<>();
        int zeros = 0;
        for (int cell = 0; cell < map.cells(); cell++) {
            if (map.kind(cell) == PageKind.ZERO) {
                zeros++;
                continue;
            }
            if (zeros > 0) cells.add(zeros);
            zeros = 0;
            StringBuilder counts = new StringBuilder();
            for (PageKind kind : PageKind.values()) {
                long count = kind == PageKind.ZERO ? 0 : map.count(cell, kind);
                if (count > 0) counts.append(kind.letter()).append(count);
            }
            cells.add(
                    List.of(
                            counts,
                            map.page(cell) - cell * map.pagesInCell(),
                            Base64.getEncoder().encodeToString(map.head(cell))));
        }
        if (zeros > 0) cells.add(zeros);
        return cells;
    }

    private List<Object> device(Inspection.Device device) {
        String note = "";
        List<Object> fields = List.of();
        room -= LEAST + device.name().length();
        int before = room;
        roomOfOne = ROOM_OF_ONE;
        try {
            Optional<List<Object>> fit = fields(inspection.contents().fields(device));
            if (fit.isPresent()) {
                fields = fit.get();
            } else {
                room = before;
                note =
                        "left out, to keep this page small: vmferry inspect FILE --device "
                                + Printable.shellWord(device.name());
            }
        } catch (MigrationException e) {
            note = e.getMessage();
        }
        return List.of(
                line(device.name()),
                Integer.toUnsignedLong(device.instance()),
                Integer.toUnsignedLong(device.version()),
                device.bytes(),
                line(note),
                fields);
    }

    /** Empty if there is no room for them. */
    private Optional<List<Object>> fields(List<DeviceField> fields) {
        List<Object> list = new ArrayList<>();
        for (DeviceField field : fields) {
            ByteBuffer bytes = field.bytes();
            boolean inner = !field.fields().isEmpty();
            byte[] head = new byte[inner ? 0 : Math.min(BlockMap.HEAD, bytes.remaining())];
            bytes.get(bytes.position(), head);
            String name = line(field.name());
            if (field.index().isPresent()) name += "[" + field.index().getAsInt() + "]";
            int takes =
                    LEAST / 2
                            + name.length()
                            + field.type().length()
                            + 2 * head.length
                            + field.note().length();
            room -= takes;
            roomOfOne -= takes;
            if (room < 0 || roomOfOne < 0) return Optional.empty();
            List<Object> one = new ArrayList<>();
            one.add(name);
            one.add(line(field.type()));
            one.add(field.offset());
            one.add(bytes.remaining());
            one.add(field.number().map(number -> number.signum() < 0 ? -1 : 1).orElse(0));
            one.add(HexFormat.of().formatHex(head));
            one.add(line(field.note()));
            if (inner) {
                Optional<List<Object>> within = fields(field.fields());
                if (within.isEmpty()) return within;
                one.add(within.get());
            }
            list.add(one);
        }
        return Optional.of(list);
    }
}
