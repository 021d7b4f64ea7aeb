package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

class SnapshotTest {
    private static final String XML =
            "<domain type='kvm' id='3'>\n"
                    + "  <name>web&amp;db</name>\n"
                    + "  <device><name>x</name></device>";

    @TempDir Path directory;

    private Snapshot opened;

    /** Either byte order of libvirt's header. */
    enum Order {
        LITTLE(ByteOrder.LITTLE_ENDIAN),
        BIG(ByteOrder.BIG_ENDIAN);

        private final ByteOrder order;

        Order(ByteOrder order) {
            this.order = order;
        }
    }

    /** A save image of 512 bytes of data, then "QEVM". */
    static byte[] image(ByteOrder order, String magic, int format) {
        ByteBuffer file = ByteBuffer.allocate(92 + 512 + 4).order(order);
        file.put(magic.getBytes(StandardCharsets.US_ASCII));
        file.putInt(2).putInt(512).putInt(1).putInt(format).putInt(0);
        file.position(92).put(XML.getBytes(StandardCharsets.UTF_8));
        file.position(92 + 512).put("QEVM".getBytes(StandardCharsets.US_ASCII));
        return file.array();
    }

    private Snapshot open(byte[] content) throws IOException {
        opened = Snapshot.open(Files.write(directory.resolve("vm.save"), content), 0);
        return opened;
    }

    @AfterEach
    void close() {
        if (opened != null) opened.close();
    }

    @ParameterizedTest
    @EnumSource
    @Tag("LIB-1")
    void libvirtsImageIsRecognisedInBothByteOrders(Order order) throws IOException {
        Snapshot snapshot = open(image(order.order, "LibvirtQemudSave", 6));
        assertThat(snapshot.offset()).isEqualTo(604);
        assertThat(snapshot.domain()).contains("web&db");
        assertThat(snapshot.transport().incoming(null, null).file(false).start()).isEqualTo(604);
        LibvirtHeader header = snapshot.libvirt().orElseThrow();
        assertThat(header.formatName()).isEqualTo("sparse");
        assertThat(header.running()).isTrue();
    }

    @Test
    @Tag("LIB-2")
    void anIncompleteImageSaysSo() {
        assertThatThrownBy(() -> open(image(ByteOrder.LITTLE_ENDIAN, "LibvirtQemudPart", 0)))
                .hasMessageContaining("never completed");
    }

    @ParameterizedTest
    @CsvSource({"16,0", "16,3", "20,-1", "20,517", "28,7", "28,-1", "32,513", "32,-1"})
    @Tag("LIB-3")
    void aBadFieldIsNamedWithItsPlace(int position, int value) {
        byte[] content = image(ByteOrder.LITTLE_ENDIAN, "LibvirtQemudSave", 0);
        ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).putInt(position, value);
        assertThatThrownBy(() -> open(content))
                .hasMessageContaining(Long.toString(Integer.toUnsignedLong(value)))
                .hasMessageContaining("byte " + position);
    }

    @Test
    void aCutHeaderIsNamed() {
        byte[] content = image(ByteOrder.LITTLE_ENDIAN, "LibvirtQemudSave", 0);
        assertThatThrownBy(() -> open(Arrays.copyOf(content, 91)))
                .hasMessageContaining("ends after 91");
    }

    @Test
    void whatIsNoSnapshotIsShown() {
        assertThatThrownBy(() -> open("QFI\u00fb1234".getBytes(StandardCharsets.ISO_8859_1)))
                .hasMessageContaining("'QFI\\xfb', not 'QEVM'");
        assertThatThrownBy(() -> open(new byte[0])).hasMessageContaining("'', not 'QEVM'");
        assertThatThrownBy(() -> Snapshot.open(directory.resolve("none"), 0))
                .hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> Snapshot.open(directory, 0)).hasMessageContaining("no file");
    }

    @Test
    void aNameIsFoundWhereLibvirtPutsIt() {
        assertThat(domain("<!-- x --><domstatus>\n<domain type='kvm'>\t<name>a</name>"))
                .contains("a");
        assertThat(domain("<domains><domain>\n</domain><domain ><name>b</name>")).contains("b");
        for (String none :
                new String[] {
                    "",
                    "<domain",
                    "<domain>",
                    "<domain><name>",
                    "<domain><name></name>",
                    "<domain><name>a<b></name>",
                    "<domain><title/><name>a</name>",
                    "<domains><name>a</name>",
                    "<domain><name>" + "a".repeat(1001) + "</name>",
                }) assertThat(domain(none)).as(none).isEmpty();
    }

    /** Took 23 s for 256 KiB once, and four times that for twice as much. */
    @Test
    void aNameIsLookedForInOneGo() {
        for (String part : new String[] {"<domain ", "<domain>", "<domain><name>a<", "<", ">"}) {
            String xml = part.repeat((32 << 20) / part.length());
            assertTimeoutPreemptively(
                    Duration.ofSeconds(20), () -> assertThat(domain(xml)).isEmpty());
        }
    }

    private static Optional<String> domain(String xml) {
        return LibvirtHeader.domain(xml.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aNameThatLooksLikeAnOffsetIsNotTakenForOne() {
        assertThat(Snapshot.uri(Path.of("a"), 0)).isEqualTo("file:a");
        assertThat(Snapshot.uri(Path.of("a,offset=5"), 0)).isEqualTo("file:a,offset=5,offset=0");
    }
}
