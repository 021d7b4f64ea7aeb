package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.stream.DescriptionWriter.Field;
import org.vmferry.engine.stream.DescriptionWriter.Written;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.machine.SectionStore.Subsection;

import java.nio.charset.StandardCharsets;
import java.util.List;

@Tag("STR-14")
class DescriptionWriterTest {
    private static final Configuration PLAIN = new Configuration("pc-1", List.of());
    private static final Configuration WITH_ALL =
            new Configuration(
                    "pc-1",
                    List.of(
                            new Subsection(
                                    "configuration/target-page-bits", 1, new byte[] {0, 0, 0, 12}),
                            new Subsection(
                                    "configuration/capabilities",
                                    1,
                                    "\0\0\0\1\12mapped-ram".getBytes(StandardCharsets.US_ASCII)),
                            new Subsection("configuration/uuid", 1, new byte[16])));

    /** As QEMUs write it. */
    private static final String QEMUS =
            """
            {"configuration": {"vmsd_name": "configuration", "version": 1, "fields": [\
            {"name": "len", "type": "uint32", "size": 4}, \
            {"name": "name", "type": "buffer", "size": 4}]%s}, \
            "page_size": 4096, "devices": [{"name": "d", "name": "é"}]}\
            """;

    private static final String QEMUS_SUBSECTIONS =
            """
            , "subsections": [\
            {"vmsd_name": "configuration/target-page-bits", "version": 1, "fields": [\
            {"name": "target_page_bits", "type": "uint32", "size": 4}]}, \
            {"vmsd_name": "configuration/capabilities", "version": 1, "fields": [\
            {"name": "caps_count", "type": "uint32", "size": 4}, \
            {"name": "capabilities", "type": "capability", "size": 11}]}, \
            {"vmsd_name": "configuration/uuid", "version": 1, "fields": [\
            {"name": "uuid.data", "array_len": 16, "type": "uint8", "size": 1}]}]\
            """;

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String fit(String kept, Configuration configuration) throws MigrationException {
        return new String(DescriptionWriter.fit(utf8(kept), configuration), StandardCharsets.UTF_8);
    }

    @Test
    void whatFitsStaysByteForByte() throws MigrationException {
        String plain = QEMUS.formatted("");
        String all = QEMUS.formatted(QEMUS_SUBSECTIONS);
        assertThat(fit(plain, PLAIN)).isEqualTo(plain);
        assertThat(fit(all, WITH_ALL)).isEqualTo(all);
        assertThat(fit("", PLAIN)).isEmpty();
    }

    @Test
    void whatDoesNotIsSaidAnew() throws MigrationException {
        String plain = QEMUS.formatted("");
        String all = QEMUS.formatted(QEMUS_SUBSECTIONS);
        assertThat(fit(all, PLAIN)).isEqualTo(plain);
        assertThat(fit(plain, WITH_ALL)).isEqualTo(all);
        String[] dense = {plain.replace(" ", ""), all.replace(" ", "")};
        assertThat(fit(dense[1], PLAIN)).isEqualTo(dense[0]);
        assertThat(fit(dense[0], WITH_ALL)).isEqualTo(dense[1]);
        assertThat(fit(all, PLAIN)).endsWith("\"devices\": [{\"name\": \"d\", \"name\": \"é\"}]}");
        Configuration none = new Configuration("", List.of());
        assertThat(fit(all, none)).startsWith("{\"page_size\": 4096, \"devices\"");
    }

    @Test
    void whatCameTwiceOrElsewhereIsSaidOnce() throws MigrationException {
        String twice = "{\"a\" : [1 , 2] ,\"configuration\":5,\"b\":1.5,\"configuration\": \"}\" }";
        assertThat(fit(twice, PLAIN))
                .startsWith("{\"configuration\": {")
                .endsWith("}, \"a\" : [1 , 2], \"b\":1.5}");
        assertThat(fit("{}", PLAIN)).startsWith("{\"configuration\":{").endsWith("}}");
        assertThat(fit("{\"configuration\":{}}", new Configuration("", List.of()))).isEqualTo("{}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{", "{} {}", "7", "{\"a\"}", "{\"configuration\": }", "\u0000{"})
    void whatIsNoObjectIsRefused(String kept) {
        assertThatThrownBy(() -> fit(kept, PLAIN))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("can't be written again");
    }

    @Test
    void otherEncodingsAreRefused() {
        byte[] kept = "{\"a\": 1}".getBytes(StandardCharsets.UTF_16BE);
        assertThatThrownBy(() -> DescriptionWriter.fit(kept, PLAIN))
                .isInstanceOf(MigrationException.class);
    }

    @Test
    @Tag("STR-8")
    void describesOurs() throws MigrationException {
        Configuration ours = PLAIN;
        byte[] json =
                DescriptionWriter.describe(
                        ours,
                        4096,
                        List.of(
                                new Written(
                                        "timer",
                                        -1,
                                        3,
                                        List.of(
                                                new Field("a", "uint32", 4),
                                                new Field("b", "uint8", 1, 73)))));
        assertThat(VmDescription.parse(json))
                .isEqualTo(
                        new VmDescription(
                                4096, List.of(new VmDescription.Device("timer", -1, 77))));
        assertThat(new String(json, StandardCharsets.UTF_8))
                .startsWith("{\"configuration\":{\"vmsd_name\":\"configuration\"");
    }
}
