package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.UUID;

class HelloTest {
    private static final UUID ID = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");

    @Test
    @Tag("MFD-1")
    void isWrittenAsTheRuleSays() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[64]).fill((byte) 0x55);
        new Hello(ID, 254).encode(bytes);
        assertThat(Hello.BYTES).isEqualTo(64);
        assertThat(bytes.toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(Wire.hello(0x11223344, 1, ID, 254));
    }

    @Test
    @Tag("MFD-2")
    void isReadAndChecked() throws Exception {
        assertThat(decode(Wire.hello(0x11223344, 1, ID, 254))).isEqualTo(new Hello(ID, 254));
        refused(Wire.hello(0x11223344, -1, ID, 0), "version 4294967295, expected 1");
    }

    private static Hello decode(byte[] bytes) throws MigrationException {
        return Hello.decode(MemorySegment.ofArray(bytes), "somebody");
    }

    private static void refused(byte[] bytes, String message) {
        assertThatThrownBy(() -> decode(bytes))
                .hasMessageContaining("somebody")
                .hasMessageContaining(message)
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.PEER));
    }
}
