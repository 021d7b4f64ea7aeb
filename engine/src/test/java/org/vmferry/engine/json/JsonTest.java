package org.vmferry.engine.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

class JsonTest {

    @Test
    void everyTypeSurvivesTheWayThereAndBack() throws IOException {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("string", "a \"quoted\" \u00e9\n");
        value.put("long", Long.MIN_VALUE);
        value.put("bigger", new BigInteger("18446744073709551615"));
        value.put("double", 1.5);
        value.put("yes", true);
        value.put("nothing", null);
        value.put("list", Arrays.asList(1L, List.of(), Map.of(), null));

        assertThat(Json.parse(Json.write(value))).isEqualTo(value);
        assertThat(Json.parse(Json.writePretty(value))).isEqualTo(value);
        Object drives = "\u007f\u0085\u009b2J\u202e\u2028\ud83d\ude00";
        assertThat(Json.parse(Json.writePretty(drives))).isEqualTo(drives);
        assertThat(Json.writePretty(drives)).matches("[ -~]+");
        assertThat(Json.parse(Json.write(value).getBytes(StandardCharsets.UTF_8))).isEqualTo(value);
    }

    @Test
    void objectsKeepTheirOrder() throws IOException {
        assertThat(Json.write(Json.parse("{\"b\": 1, \"a\": 2}"))).isEqualTo("{\"b\":1,\"a\":2}");
    }

    @Test
    void theLastOfRepeatedNamesWins() throws IOException {
        assertThat(Json.parse("{\"a\": 1, \"a\": 2}")).isEqualTo(Map.of("a", 2L));
    }

    @Test
    void prettyIsOneEntryALine() {
        assertThat(Json.writePretty(Map.of("a", List.of(1, 2))))
                .isEqualTo("{\n  \"a\" : [\n    1,\n    2\n  ]\n}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", "{", "[1,", "{\"a\"}", "1 2", "nul", "NaN", "1e999", "'a'", "{} x",
                "\"\\q\""
            })
    void whatIsNotJsonIsAnIoException(String text) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse(text))
                .withMessageContaining("JSON");
    }

    @Test
    void malformedUtf8IsAnIoException() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse(new byte[] {'"', (byte) 0xc3, '"'}));
    }

    @Test
    void depthIsLimited() throws IOException {
        int deepest = Json.MAX_DEPTH;
        Json.parse("[".repeat(deepest) + "]".repeat(deepest));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse("[".repeat(1_000_000)))
                .withMessageContaining("levels");
    }

    @Test
    void lengthIsLimited() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse(" ".repeat(Json.MAX_LENGTH + 1)))
                .withMessageContaining("at most " + Json.MAX_LENGTH);
    }

    @Test
    void theNumberOfTokensIsLimited() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse("[" + "[],".repeat(Json.MAX_TOKENS) + "1]"));
    }

    @Test
    void aHugeNumberIsAnIoException() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Json.parse("9".repeat(1_000_000)));
    }

    @Test
    void whatJsonCannotSayIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Json.write(Double.NaN));
        assertThatIllegalArgumentException().isThrownBy(() -> Json.write(new Object()));
    }
}
