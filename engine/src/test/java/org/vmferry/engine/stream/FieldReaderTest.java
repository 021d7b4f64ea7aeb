package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.report.DeviceField;
import org.vmferry.spi.MigrationException;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;

@Tag("STR-15")
class FieldReaderTest {
    private static final HexFormat HEX = HexFormat.of();

    private static List<DeviceField> read(String state, byte[] payload) throws MigrationException {
        String json =
                "{'page_size':4096,'devices':[{'name':'d','instance_id':0,'fields':[]},"
                        + "{'name':'d','instance_id':4294967295,"
                        + state
                        + "}]}";
        byte[] description = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return FieldReader.read(
                FieldReader.devices(description), "d", -1, ByteBuffer.wrap(payload));
    }

    /** One line: name[index]=number or bytes, parts in braces, notes in brackets. */
    private static String shown(List<DeviceField> fields) {
        List<String> all = new ArrayList<>();
        for (DeviceField field : fields) {
            byte[] bytes = new byte[field.bytes().remaining()];
            field.bytes().get(0, bytes);
            String index = field.index().isPresent() ? "[" + field.index().getAsInt() + "]" : "";
            String value =
                    field.fields().isEmpty()
                            ? field.number()
                                    .map(Object::toString)
                                    .orElse("x" + HEX.formatHex(bytes))
                            : "{" + shown(field.fields()) + "}";
            String note = field.note().isEmpty() ? "" : " (" + field.note() + ")";
            all.add(field.name() + index + "=" + value + note);
        }
        return String.join(" ", all);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                // Numbers, with and without a sign, and what is none.
                "'fields':[{'name':'a','type':'uint32','size':4},{'name':'b','type':'int16','size':2}]"
                    + " | fffffffefffe | a=4294967294 b=-2",
                "'fields':[{'name':'a','type':'uint64','size':8}] | ffffffffffffffff |"
                        + " a=18446744073709551615",
                "'fields':[{'name':'a','type':'cpsr','size':4},{'name':'b','type':'buffer','size':4},"
                    + "{'name':'c','type':'bool','size':1},{'name':'e','type':'float80','size':10}]"
                    + " | 400001d36162630001000102030405060708ff | a=1073742291 b=x61626300 c=1"
                    + " e=x000102030405060708ff",
                // Arrays, in the three ways in which they are described.
                "'fields':[{'name':'a','array_len':2,'type':'uint16','size':2}] | 00010002 |"
                        + " a[0]=1 a[1]=2",
                "'fields':[{'name':'a','index':0,'type':'uint8','size':1},"
                    + "{'name':'a','index':1,'type':'uint8','size':1},{'name':'a','type':'uint8','size':1},{'name':'b','type':'uint8','size':1}]"
                    + " | 01020304 | a[0]=1 a[1]=2 a[2]=3 b=4",
                "'fields':[{'name':'a','array_len':3,'type':'uint8','size':1}] | 616263 |"
                        + " a=x616263",
                "'fields':[{'name':'a','array_len':2000000000,'type':'uint32','size':0}] | '' |"
                        + " a=x",
                // Structs nest under a key of their own, or in the field itself.
                "'fields':[{'name':'s','type':'struct','struct':{'fields':[{'name':'a','type':'uint8','size':1}]},'size':1}]"
                    + " | 07 | s={a=7}",
                "'fields':[{'name':'s','array_len':2,'type':'struct','struct':{'fields':[{'name':'a','type':'uint8','size':1}]},'size':1}]"
                    + " | 0708 | s[0]={a=7} s[1]={a=8}",
                "'fields':[{'name':'t','type':'tmp','vmsd_name':'x','version':1,'fields':[{'name':'a','type':'uint8','size':1}],'size':1}]"
                    + " | 07 | t={a=7}",
                "'fields':[{'name':'p','type':'nullptr','size':1}] | 30 | p=x30 (a null pointer)",
                "'fields':[{'name':'data','type':'buffer','size':3}] | 010203 | data=x010203",
                "'size':3,'fields':[{'name':'data','size':3,'type':'buffer'}] | 010203 |"
                        + " data=x010203",
                // Subsections, also those of a struct.
                "'fields':[{'name':'a','type':'uint8','size':1}],'subsections':[{'vmsd_name':'d/s',"
                    + "'version':1,'fields':[{'name':'b','type':'uint8','size':1}]},{'vmsd_name':'e','version':2}]"
                    + " | 090503642f730000000108050165000000 02 | a=9 d/s={b=8} e=x05016500000002",
                "'fields':[{'name':'s','type':'struct','struct':{'fields':[],'subsections':[{"
                        + "'vmsd_name':'q','fields':[{'name':'b','type':'uint8','size':1}]}]},"
                        + "'size':8}] | 0501710000000109 | s={q={b=9}}",
                // A list: keys repeat, an element has marks that nothing describes.
                "'fields':[{'name':'l','type':'qtailq','vmsd_name':'x','version':1,'fields':[{'name':"
                    + "'a','type':'uint8','size':1}],'vmsd_name':'x','version':1,'fields':[{"
                    + "'name':'a','type':'uint8','size':1}],'size':5},{'name':'b','type':'uint8','size':1}]"
                    + " | 010701080009 | l=x0107010800 (its description names 1 of its 5 bytes)"
                    + " b=9",
                // What does not fit stands as it is.
                "'fields':[{'name':'a','type':'uint32','size':4}] | 0102030405 |"
                        + " =x0102030405 (its description names 4 of its 5 bytes)",
                "'fields':[{'name':'a','type':'uint32','size':-4}] | 01 |"
                        + " =x01 (in the VMDESCRIPTION 'size' is -4, must be 0 to 2147483647)",
                "'fields':[{'name':'s','type':'struct','struct':{'fields':[5]},'size':1}] | 07 |"
                        + " s=x07 (in the VMDESCRIPTION 'fields' is 5, must be an object)",
                "'subsections':[{'vmsd_name':'abc','fields':[]}] | 050361626400000001 | abc="
                        + "x050361626400000001 (it does not begin here, as its description has it)",
                "'fields':[{'size':1}] | 07 | =7",
            })
    void namesEachByte(String state, String payload, String shown) throws MigrationException {
        byte[] bytes = HEX.parseHex(payload.equals("''") ? "" : payload.replace(" ", ""));
        assertThat(shown(read(state, bytes))).isEqualTo(shown);
    }

    @Test
    void withoutADescriptionNamesAreLost() throws MigrationException {
        assertThat(shown(FieldReader.read(Optional.empty(), "d", 0, ByteBuffer.wrap(new byte[2]))))
                .isEqualTo(
                        "=x0000 (the stream has no VMDESCRIPTION: the names of its fields are"
                                + " lost)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "[]", "{\"devices\":7}", "{\"devices\":[1,{\"name\":\"d\"}]}"})
    void whatIsNoDescriptionIsRefused(String json) {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(
                        () ->
                                FieldReader.read(
                                        FieldReader.devices(bytes), "d", 0, ByteBuffer.allocate(1)))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("VMDESCRIPTION");
    }

    private static int count(List<DeviceField> fields) {
        int count = fields.size();
        for (DeviceField field : fields) count += count(field.fields());
        return count;
    }

    private static int bytes(List<DeviceField> fields) {
        return fields.stream().mapToInt(field -> field.bytes().remaining()).sum();
    }

    @Test
    @Timeout(60)
    void tooManyFieldsEnd() throws MigrationException {
        String array = "'fields':[{'name':'a','array_len':%d,'type':'uint16','size':2}]";
        int many = 4 << 20;
        List<DeviceField> fields = read(array.formatted(many), new byte[many * 2]);
        assertThat(fields).hasSizeBetween(1000, FieldReader.MOST + 2);
        assertThat(fields.getLast().note()).startsWith("over 131072 fields");
        assertThat(bytes(fields)).isEqualTo(many * 2);

        // Each element a hundred thousand fields of no bytes: 10^11 in all.
        String empty = "{'name':'e','type':'uint8','size':0},".repeat(100_000);
        String elements =
                "'fields':[{'name':'a','array_len':1000000,'type':'struct','struct':{'fields':["
                        + empty
                        + "{'name':'x','type':'uint8','size':1}]},'size':1}]";
        fields = read(elements, new byte[1_000_000]);
        assertThat(count(fields)).isLessThan(FieldReader.MOST + 300_000);
        assertThat(bytes(fields)).isEqualTo(1_000_000);
    }

    @Test
    void nestingIsShown() throws MigrationException {
        String state = "'fields':[{'name':'x','type':'uint8','size':1}]";
        for (int i = 0; i < 60; i++) {
            state = "'fields':[{'name':'s','type':'struct','struct':{" + state + "},'size':1}]";
        }
        assertThat(count(read(state, new byte[1]))).isEqualTo(61);
    }

    @Test
    @Timeout(60)
    void brokenDescriptionsHarmNobody() {
        String good =
                "{\"page_size\":4096,\"devices\":[{\"name\":\"d\",\"instance_id\":0,\"fields\":["
                    + "{\"name\":\"a\",\"array_len\":3,\"type\":\"struct\",\"struct\":{\"fields\":["
                    + "{\"name\":\"b\",\"type\":\"uint16\",\"size\":2}]},\"size\":2}],"
                    + "\"subsections\":[{\"vmsd_name\":\"s\",\"fields\":[{\"name\":\"c\",\"size\":1}]"
                    + "}]}]}";
        Random random = new Random(8);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = good.getBytes(StandardCharsets.UTF_8);
            for (int n = random.nextInt(3); n >= 0; n--) {
                bytes[random.nextInt(bytes.length)] =
                        (byte) "0918{}[]\",:asx".charAt(random.nextInt(14));
            }
            byte[] payload = new byte[14];
            random.nextBytes(payload);
            try {
                List<DeviceField> fields =
                        FieldReader.read(
                                FieldReader.devices(bytes), "d", 0, ByteBuffer.wrap(payload));
                assertThat(bytes(fields)).isEqualTo(14);
            } catch (MigrationException e) {
                assertThat(e).hasMessageContaining("VMDESCRIPTION");
            }
        }
    }
}
