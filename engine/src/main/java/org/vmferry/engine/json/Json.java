package org.vmferry.engine.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.PrettyPrinter;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.MinimalPrettyPrinter;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as plain Java values: {@code Map<String, Object>} (in the order of the text), {@code
 * List<Object>}, {@code String}, {@code Long} ({@code BigInteger} where a long is too small),
 * {@code Double}, {@code Boolean}, {@code null}. For QMP and for the VMDESCRIPTION of a stream.
 *
 * <p>The text may come from a hostile peer, so its size, depth and number of tokens are limited.
 * All methods may be called by any thread.
 */
public final class Json {

    /** The longest text that is read, in bytes of UTF-8 or in characters of a string. */
    public static final int MAX_LENGTH = 16 << 20;

    /** How deep objects and arrays may nest. */
    public static final int MAX_DEPTH = 200;

    /** How many names, values and brackets there may be: they cost more as objects than as text. */
    public static final int MAX_TOKENS = 2_000_000;

    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    // Names chosen by a peer shall not stay in the JVM's table for ever.
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxDocumentLength(MAX_LENGTH)
                                    .maxNestingDepth(MAX_DEPTH)
                                    .maxTokenCount(MAX_TOKENS)
                                    .maxStringLength(MAX_LENGTH)
                                    .build())
                    .build();

    private static final int LAST_OF_ASCII = 0x7e; // DEL is escaped too

    /** On one line, as QEMU writes it. */
    private static final PrettyPrinter SPACED =
            new MinimalPrettyPrinter() {
                @Override
                public void writeObjectFieldValueSeparator(JsonGenerator out) throws IOException {
                    out.writeRaw(": ");
                }

                @Override
                public void writeObjectEntrySeparator(JsonGenerator out) throws IOException {
                    out.writeRaw(", ");
                }

                @Override
                public void writeArrayValueSeparator(JsonGenerator out) throws IOException {
                    out.writeRaw(", ");
                }
            };

    private Json() {}

    /**
     * Reads one JSON value and nothing after it. Where an object repeats a name, the last one wins.
     *
     * @throws IOException if this is not JSON, or exceeds a limit; the message says what and where
     */
    public static Object parse(String text) throws IOException {
        checkLength(text.length());
        return read(FACTORY.createParser(text), false);
    }

    /**
     * As {@link #parse(String)}, from UTF-8.
     *
     * @throws IOException if this is not JSON, or exceeds a limit; the message says what and where
     */
    public static Object parse(byte[] text) throws IOException {
        checkLength(text.length);
        return read(FACTORY.createParser(text), false);
    }

    /**
     * As {@link #parse(byte[])}, as QEMU's monitor reads: strings may stand in single quotes, and
     * an object that repeats a name is refused, as is a string with half of a character. A number
     * with a fraction or an exponent is a {@link Written}, so that it can be said back as it came.
     *
     * @throws IOException if this is not JSON, or exceeds a limit; the message says what and where
     */
    public static Object parseRequest(byte[] text) throws IOException {
        checkLength(text.length);
        return read(
                FACTORY.createParser(text).enable(JsonParser.Feature.ALLOW_SINGLE_QUOTES), true);
    }

    /**
     * A number as it was written, which a double may not hold.
     *
     * @param text a JSON number
     */
    public record Written(String text) {}

    /**
     * An object's text with one member said anew. Where the object says just this already, its
     * bytes are returned as they are; else the member stands first, all others keep their own bytes
     * and order, and repeated ones of its name are gone. Spaces stand behind colons and commas if
     * they do so in the object.
     *
     * @param object UTF-8
     * @param value what is to be said; null if the member is to be gone
     * @throws IOException if this is no JSON object in UTF-8, or exceeds a limit
     */
    public static byte[] withMember(byte[] object, String name, Object value) throws IOException {
        checkLength(object.length);
        String wanted = value == null ? null : write(value);
        List<byte[]> members = new ArrayList<>();
        int found = 0;
        boolean same = false;
        try (JsonParser parser = FACTORY.createParser(object)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IOException("Not a JSON object" + where(parser));
            }
            JsonToken token = parser.nextToken();
            while (token != JsonToken.END_OBJECT) {
                int from = offset(parser);
                boolean asked = parser.currentName().equals(name);
                Object said = null;
                parser.nextToken();
                if (asked) said = value(parser, parser.currentToken(), false);
                else parser.skipChildren();
                token = parser.nextToken();
                if (asked) {
                    found++;
                    same = write(said).equals(wanted);
                } else {
                    members.add(Arrays.copyOfRange(object, from, end(object, offset(parser))));
                }
            }
            if (parser.nextToken() != null) {
                throw new IOException("Not JSON: more text after the value" + where(parser));
            }
        } catch (JsonProcessingException e) {
            throw new IOException("Not JSON: " + why(e), e);
        }
        if (wanted == null ? found == 0 : found == 1 && same) return object;
        boolean spaced = new String(object, StandardCharsets.ISO_8859_1).contains("\": ");
        if (wanted != null) {
            String text = spaced ? write(value, SPACED, 0) : wanted;
            members.addFirst(utf8(write(name) + (spaced ? ": " : ":") + text));
        }
        var text = new ByteArrayOutputStream(object.length + 1024);
        text.writeBytes(utf8("{"));
        for (int i = 0; i < members.size(); i++) {
            if (i > 0) text.writeBytes(utf8(spaced ? ", " : ","));
            text.writeBytes(members.get(i));
        }
        text.writeBytes(utf8("}"));
        return text.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static int offset(JsonParser parser) throws IOException {
        long offset = parser.currentTokenLocation().getByteOffset();
        if (offset < 0) throw new IOException("Not JSON in UTF-8");
        return Math.toIntExact(offset);
    }

    /** Where a member's value ends, before the token that follows it. */
    private static int end(byte[] text, int next) {
        while (" \t\r\n,".indexOf(text[next - 1]) >= 0) next--;
        return next;
    }

    /**
     * The value on one line, without a line end.
     *
     * @throws IllegalArgumentException if it holds anything but the types above, other Numbers and
     *     other Iterables; NaN and infinities are not JSON either
     */
    public static String write(Object value) {
        return write(value, null, 0);
    }

    /**
     * As {@link #write(Object)}, in ASCII: all other characters are escaped, as QEMU does.
     *
     * @throws IllegalArgumentException as {@link #write(Object)}
     */
    public static String writeAscii(Object value) {
        return write(value, SPACED, LAST_OF_ASCII);
    }

    /**
     * The value for people: indented by two spaces, without a line end after the last line. What a
     * terminal may obey is escaped, as is all that is not ASCII.
     *
     * @throws IllegalArgumentException as {@link #write(Object)}
     */
    public static String writePretty(Object value) {
        return write(value, pretty(), LAST_OF_ASCII);
    }

    // The parser checks it too, but only between its buffers: a text given as a whole is one.
    private static void checkLength(int length) throws IOException {
        if (length > MAX_LENGTH)
            throw new IOException("JSON of " + length + " bytes; at most " + MAX_LENGTH);
    }

    private static Object read(JsonParser parser, boolean request) throws IOException {
        try (parser) {
            JsonToken first = parser.nextToken();
            if (first == null) throw new IOException("Not JSON: the text is empty");
            Object value = value(parser, first, request);
            if (parser.nextToken() != null) {
                throw new IOException("Not JSON: more text after the value" + where(parser));
            }
            return value;
        } catch (JsonProcessingException e) {
            throw new IOException("Not JSON: " + why(e) + where(parser), e);
        }
    }

    private static String why(JsonProcessingException e) {
        return switch (e) {
            case JsonEOFException end -> "it ends within a value";
            case StreamConstraintsException limit ->
                    "more than %d levels, %d bytes or %d values, or too long a name or number"
                            .formatted(MAX_DEPTH, MAX_LENGTH, MAX_TOKENS);
            default -> "something that can't stand here";
        };
    }

    private static String where(JsonParser parser) {
        var at = parser.currentLocation();
        return ", line " + at.getLineNr() + ", column " + at.getColumnNr();
    }

    private static Object value(JsonParser parser, JsonToken token, boolean request)
            throws IOException {
        return switch (token) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = text(parser, parser.currentName(), request);
                    if (request && object.containsKey(name)) {
                        throw new IOException(
                                "Not JSON: '" + name + "' stands twice" + where(parser));
                    }
                    object.put(name, value(parser, parser.nextToken(), request));
                }
                yield object;
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                for (JsonToken t = parser.nextToken();
                        t != JsonToken.END_ARRAY;
                        t = parser.nextToken()) {
                    array.add(value(parser, t, request));
                }
                yield array;
            }
            case VALUE_STRING -> text(parser, parser.getText(), request);
            case VALUE_NUMBER_INT ->
                    parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                            ? parser.getBigIntegerValue()
                            : (Object) parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> {
                if (request) yield new Written(parser.getText());
                double number = parser.getDoubleValue();
                if (!Double.isFinite(number)) {
                    throw new IOException("JSON number too large" + where(parser));
                }
                yield number;
            }
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> null;
            default -> throw new IOException("Not JSON: " + token + where(parser));
        };
    }

    private static String text(JsonParser parser, String text, boolean request) throws IOException {
        if (request && text.chars().anyMatch(c -> Character.isSurrogate((char) c))) {
            for (int c : text.codePoints().toArray()) {
                if (c <= Character.MAX_VALUE && Character.isSurrogate((char) c)) {
                    throw new IOException(
                            "Not JSON: \\u%04x is half of a character%s"
                                    .formatted(c, where(parser)));
                }
            }
        }
        return text;
    }

    private static PrettyPrinter pretty() {
        var indenter = new DefaultIndenter("  ", "\n");
        return new DefaultPrettyPrinter().withObjectIndenter(indenter).withArrayIndenter(indenter);
    }

    /** The highest character that is not escaped; 0 if all stand as they are. */
    private static String write(Object value, PrettyPrinter printer, int highest) {
        var text = new StringWriter();
        try (JsonGenerator out = FACTORY.createGenerator(text)) {
            out.setHighestNonEscapedChar(highest);
            if (printer != null) out.setPrettyPrinter(printer);
            write(out, value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Not to be written as JSON: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("A StringWriter failed", e);
        }
        return text.toString();
    }

    private static void write(JsonGenerator out, Object value) throws IOException {
        switch (value) {
            case null -> out.writeNull();
            case CharSequence string -> out.writeString(string.toString());
            case Boolean bool -> out.writeBoolean(bool);
            case Written number -> out.writeNumber(number.text());
            case BigInteger number -> out.writeNumber(number);
            case BigDecimal number -> out.writeNumber(number);
            case Number number when number instanceof Double || number instanceof Float -> {
                if (!Double.isFinite(number.doubleValue())) {
                    throw new IllegalArgumentException("Not to be written as JSON: " + number);
                }
                out.writeNumber(number.doubleValue());
            }
            case Number number -> out.writeNumber(number.longValue());
            case Map<?, ?> object -> {
                out.writeStartObject();
                for (var entry : object.entrySet()) {
                    out.writeFieldName(String.valueOf(entry.getKey()));
                    write(out, entry.getValue());
                }
                out.writeEndObject();
            }
            case Iterable<?> array -> {
                out.writeStartArray();
                for (Object element : array) write(out, element);
                out.writeEndArray();
            }
            default ->
                    throw new IllegalArgumentException(
                            "Not to be written as JSON: a " + value.getClass().getName());
        }
    }
}
