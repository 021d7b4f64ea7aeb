package org.vmferry.spi.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A device of bytes: what it writes, and what it takes of others. */
class ByteDeviceTest {
    private static final int LONGEST = (16 << 20) - 4;

    private byte[] state = {};
    private final List<byte[]> restored = new ArrayList<>();
    private final DeviceState device = DeviceState.of("chip", () -> state, restored::add);

    private byte[] saved() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        device.save(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private void load(byte[] payload) throws IOException {
        device.load(new DataInputStream(new ByteArrayInputStream(payload)), 1);
    }

    @Test
    void itsBytesFollowTheirLength() throws IOException {
        state = new byte[] {7, -1};
        assertThat(saved()).containsExactly(0, 0, 0, 2, 7, -1);
        load(saved());
        assertThat(restored).singleElement().isEqualTo(state);
        assertThat(device.id()).isEqualTo("chip");
    }

    @Test
    void noneAreAStateToo() throws IOException {
        load(saved());
        assertThat(restored).singleElement().isEqualTo(new byte[0]);
    }

    @Test
    void asManyAsADeviceMayHaveAndNoMore() throws IOException {
        state = new byte[LONGEST];
        assertThat(saved()).hasSize(16 << 20);
        state = new byte[LONGEST + 1];
        assertThatThrownBy(this::saved)
                .isInstanceOf(IOException.class)
                .hasMessage("its state has 16777213 bytes, allowed are 16777212");
    }

    @Test
    void aLengthThatLiesIsRefusedBeforeAnythingIsTaken() {
        byte[] most = ByteBuffer.allocate(8).putInt(-1).array();
        assertThatThrownBy(() -> load(most))
                .isInstanceOf(IOException.class)
                .hasMessage("its state is to have 4294967295 bytes, allowed are 16777212");
        byte[] more = ByteBuffer.allocate(8).putInt(5).array();
        assertThatThrownBy(() -> load(more)).isInstanceOf(EOFException.class);
        assertThat(restored).isEmpty();
    }
}
