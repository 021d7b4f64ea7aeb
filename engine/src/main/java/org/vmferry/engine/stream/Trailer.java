package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.transport.PositionedFile;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What a file says beside QEMU's format: a short text behind the stream (docs/wire/trailer.md).
 *
 * @param facts in the file's order, without the first line and the last
 * @param damage what is wrong with it, as a sentence; there are no facts then
 */
public record Trailer(List<Fact> facts, Optional<String> damage) {
    /**
     * What was read.
     *
     * @param damage may quote what the file says: it is made printable
     */
    public Trailer {
        damage = damage.map(Printable::line);
    }

    /** A file that says nothing. */
    public static final Trailer NONE = new Trailer(List.of(), Optional.empty());

    /** The most bytes that one has (rule TRL-2). */
    public static final int LONGEST = 64 << 10;

    private static final String MARK = "vmferry ";
    private static final String FIRST = MARK + "1";
    private static final String WRITER = "writer";
    private static final String UUID_KEY = "uuid";
    private static final String MISSING = "missing-ram";
    private static final String SUM = "crc32c";
    private static final int LAST_LINE = SUM.length() + 10; // a space, 8 digits, the line's end

    /** Those that are said anew whenever a file is written (rule TRL-6). */
    private static final Set<String> OURS = Set.of(WRITER, UUID_KEY, MISSING);

    private static final Pattern LINE = Pattern.compile("([a-z0-9][a-z0-9.-]{0,63}) (\\P{Cc}*+)");
    private static final Pattern BLOCK = Pattern.compile("([^ ]++)(?: 0x([0-9a-f]{1,16}))?");
    private static final int PIECE = 1 << 16;

    /**
     * A block whose RAM is not in the file.
     *
     * @param id its name
     * @param guestAddress where the source's guest saw it, if that is known
     */
    public record Missing(String id, OptionalLong guestAddress) {}

    /**
     * What is to be said of a machine.
     *
     * @param writer who says so
     * @param uuid the machine's
     * @param missing blocks that are not in the file
     * @param kept what another file said: of it those keys that nobody here knows
     * @throws MigrationException if it is longer than allowed
     */
    public static Trailer of(
            String writer, Optional<UUID> uuid, List<RamBlock> missing, List<Fact> kept)
            throws MigrationException {
        List<Fact> facts = new ArrayList<>();
        facts.add(new Fact(WRITER, writer));
        uuid.ifPresent(id -> facts.add(fact(id)));
        for (RamBlock block : missing) {
            OptionalLong address = block.guestAddress();
            facts.add(
                    new Fact(
                            MISSING,
                            quote(block.id())
                                    + (address.isPresent()
                                            ? " 0x" + Long.toHexString(address.getAsLong())
                                            : "")));
        }
        kept.stream().filter(fact -> !OURS.contains(fact.key())).forEach(facts::add);
        Trailer trailer = new Trailer(List.copyOf(facts), Optional.empty());
        int length = trailer.text().length + LAST_LINE;
        if (length > LONGEST) {
            throw MigrationException.host(
                    "what is to be said behind the stream of its %d missing RAM blocks, and of"
                            + " what its file said, takes %d bytes, allowed are %d",
                    missing.size(), length, LONGEST);
        }
        return trailer;
    }

    /** What is said of a machine's UUID. */
    public static Fact fact(UUID uuid) {
        return new Fact(UUID_KEY, uuid.toString());
    }

    /**
     * Its bytes.
     *
     * @param before of what stands before it, from behind the RAM section on (rule TRL-3)
     */
    public byte[] encode(CRC32C before) {
        byte[] text = text();
        before.update(text);
        var all = new ByteArrayOutputStream(text.length + LAST_LINE);
        all.writeBytes(text);
        all.writeBytes(line(SUM, "%08x".formatted(before.getValue())));
        return all.toByteArray();
    }

    private byte[] text() {
        var text = new ByteArrayOutputStream();
        text.writeBytes((FIRST + "\n").getBytes(StandardCharsets.US_ASCII));
        for (Fact fact : facts) text.writeBytes(line(fact.key(), fact.value()));
        return text.toByteArray();
    }

    private static byte[] line(String key, String value) {
        return (key + " " + value + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Reads what stands behind a stream; whatever it is, that is no error.
     *
     * @param file not direct
     * @param tail where what follows the RAM section begins
     * @param at the first byte behind the stream
     * @throws IOException if the file can't be read
     */
    public static Trailer read(PositionedFile file, long tail, long at) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(LONGEST);
        int length = file.read(bytes, at);
        bytes.flip();
        byte[] mark = MARK.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer begins = bytes.duplicate().limit(Math.min(length, mark.length));
        if (length < 1 || !begins.equals(ByteBuffer.wrap(mark, 0, begins.limit()))) return NONE;
        try {
            CRC32C before = new CRC32C();
            update(before, file, tail, at);
            return parse(bytes, before);
        } catch (Damage e) {
            return new Trailer(
                    List.of(), Optional.of("the trailer at %d %s".formatted(at, e.getMessage())));
        }
    }

    private static void update(CRC32C sum, PositionedFile file, long from, long to)
            throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(PIECE);
        for (long at = from; at < to; at += piece.limit()) {
            piece.clear().limit((int) Math.min(PIECE, to - at));
            file.read(piece, at);
            if (piece.hasRemaining()) {
                throw MigrationException.peer("the file was cut short at %d underneath", at);
            }
            sum.update(piece.flip());
        }
    }

    /** What makes a trailer none. */
    private static final class Damage extends Exception {
        private static final long serialVersionUID = 1;

        Damage(String what) {
            super(what);
        }
    }

    private static Trailer parse(ByteBuffer bytes, CRC32C sum) throws Damage {
        String first = next(bytes);
        if (!first.equals(FIRST)) {
            throw new Damage("begins with '" + brief(first) + "', must with '" + FIRST + "'");
        }
        List<Fact> facts = new ArrayList<>();
        while (true) {
            int at = bytes.position();
            String line = next(bytes);
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw new Damage("has a line that is no key and value: '" + brief(line) + "'");
            }
            if (!parts.group(1).equals(SUM)) {
                facts.add(new Fact(parts.group(1), parts.group(2)));
                continue;
            }
            sum.update(bytes.duplicate().flip().limit(at));
            String wanted = "%08x".formatted(sum.getValue());
            if (!parts.group(2).equals(wanted)) {
                throw new Damage(
                        "is damaged, or another snapshot's that stood here before: its crc32c is '"
                                + brief(parts.group(2))
                                + "', must be '"
                                + wanted
                                + "'");
            }
            Trailer trailer = new Trailer(List.copyOf(facts), Optional.empty());
            trailer.checkKnown();
            return trailer;
        }
    }

    private static String next(ByteBuffer bytes) throws Damage {
        int from = bytes.position();
        while (bytes.hasRemaining()) {
            if (bytes.get() != '\n') continue;
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(bytes.duplicate().position(from).limit(bytes.position() - 1))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new Damage(
                        "has a line that is no UTF-8, " + from + " bytes behind its first");
            }
        }
        throw new Damage("ends without its crc32c, after " + bytes.limit() + " bytes");
    }

    private static String brief(String text) {
        return text.length() > 60 ? text.substring(0, 60) + "…" : text;
    }

    private void checkKnown() throws Damage {
        for (Fact fact : facts) {
            boolean sound =
                    switch (fact.key()) {
                        case UUID_KEY ->
                                uuid(fact.value()).isPresent() && values(UUID_KEY).count() == 1;
                        case MISSING -> missing(fact.value()).isPresent();
                        default -> true;
                    };
            if (sound) continue;
            throw new Damage(
                    "says '" + fact.key() + " " + brief(fact.value()) + "', which is none");
        }
    }

    /** What wrote the file. */
    public Optional<String> writer() {
        return values(WRITER).findFirst();
    }

    /** The machine's. */
    public Optional<UUID> uuid() {
        return values(UUID_KEY).findFirst().flatMap(Trailer::uuid);
    }

    /** Blocks whose RAM is not in the file; it may be that the stream has no such blocks. */
    public List<Missing> missing() {
        return values(MISSING).flatMap(value -> missing(value).stream()).toList();
    }

    private Stream<String> values(String key) {
        return facts.stream().filter(fact -> fact.key().equals(key)).map(Fact::value);
    }

    private static Optional<UUID> uuid(String text) {
        try {
            UUID uuid = UUID.fromString(text);
            return uuid.toString().equals(text) ? Optional.of(uuid) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Optional<Missing> missing(String text) {
        Matcher parts = BLOCK.matcher(text);
        if (!parts.matches()) return Optional.empty();
        String address = parts.group(2);
        return unquote(parts.group(1))
                .map(
                        id ->
                                new Missing(
                                        id,
                                        address == null
                                                ? OptionalLong.empty()
                                                : OptionalLong.of(
                                                        Long.parseUnsignedLong(address, 16))));
    }

    /** A name as one word: bytes up to the space, DEL and % are % and two digits (rule TRL-5). */
    static String quote(String name) {
        StringBuilder word = new StringBuilder();
        name.codePoints()
                .forEach(
                        c -> {
                            if (c > ' ' && c != '%' && !Character.isISOControl(c)) {
                                word.appendCodePoint(c);
                                return;
                            }
                            for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
                                word.append("%%%02x".formatted(b & 0xff));
                            }
                        });
        return word.toString();
    }

    /** The name that a word stands for; empty if it is none. */
    static Optional<String> unquote(String word) {
        byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
        ByteBuffer name = ByteBuffer.allocate(bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '%') {
                name.put(bytes[i]);
                continue;
            }
            if (i + 2 >= bytes.length) return Optional.empty();
            int high = Character.digit(bytes[++i], 16);
            int low = Character.digit(bytes[++i], 16);
            if (high < 0 || low < 0) return Optional.empty();
            name.put((byte) (high << 4 | low));
        }
        try {
            return Optional.of(StandardCharsets.UTF_8.newDecoder().decode(name.flip()).toString());
        } catch (CharacterCodingException e) {
            return Optional.empty();
        }
    }
}
