package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** What stands behind a channel's last SYNC is nobody's, whenever it comes. */
@Tag("MFD-24")
class TailTest extends Receiving {
    /** As the engine reads START and END, whose flush and mark came together. */
    private static final Main TOGETHER =
            receiver -> {
                begin(receiver);
                receiver.ended(true);
            };

    private static void begin(MultifdReceiver receiver) throws IOException {
        receiver.sync();
        receiver.endSection();
        receiver.ending();
    }

    private static Wire.Pages others() {
        Wire.Pages packet = new Wire.Pages().name("pc.ram");
        packet.normal = 1;
        packet.size = PAGE;
        packet.offsets[0] = PAGE;
        packet.data = page(9);
        return packet;
    }

    private static Wire.Pages wrong() {
        Wire.Pages packet = others();
        packet.alloc = -1;
        return packet;
    }

    static Stream<Arguments> tails() {
        return Stream.of(
                Arguments.of("garbage", page(7)),
                Arguments.of("a packet that is cut", Arrays.copyOf(Wire.sync(), 100)),
                Arguments.of("a wrong packet", wrong().bytes()),
                Arguments.of("one more SYNC", Wire.sync()),
                Arguments.of("nothing", new byte[0]));
    }

    private byte[] ahead(byte[] tail) {
        return join(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync(), tail);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tails")
    void isNotReadWhenTheLastSyncIsKnownToBe(String what, byte[] tail) throws Exception {
        Scripted script = new Scripted(ahead(tail), 0, false);
        receive(TOGETHER, script);
        assertApplied();
        assertThat(script.position()).isEqualTo(ahead(new byte[0]).length);
    }

    @Test
    void pagesAreNotReadEither() throws Exception {
        Scripted script = new Scripted(ahead(others().bytes()), 0, false);
        receive(TOGETHER, script);
        assertApplied();
        assertThat(script.position()).isEqualTo(ahead(new byte[0]).length);
    }

    @Test
    void norBehindTheEndMarkThatIsTheOldDialectsSync() throws Exception {
        Scripted script = new Scripted(ahead(others().bytes()), 0, false);
        receive(
                receiver -> {
                    receiver.endSection();
                    receiver.ending();
                    receiver.ended(false);
                },
                script);
        assertApplied();
        assertThat(script.position()).isEqualTo(ahead(new byte[0]).length);
    }

    /** The main stream's mark comes when all that the channel has was read. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("tails")
    void isNobodysAlsoIfItWasRead(String what, byte[] tail) throws Exception {
        Scripted script = new Scripted(ahead(tail), 0, false);
        int all = ahead(tail).length;
        receiveSlowly(script, () -> session.threads().isEmpty() || script.position() == all);
        assertApplied();
    }

    private void receiveSlowly(Scripted script, BooleanSupplier read) throws Exception {
        receive(
                receiver -> {
                    begin(receiver);
                    receiver.sync();
                    until(read);
                    receiver.ended(false);
                },
                script);
    }

    private static void until(BooleanSupplier what) {
        while (!what.getAsBoolean()) LockSupport.parkNanos(200_000);
    }

    /** Of a round that another sync ends: it is told there, and what is wrong with it. */
    @Test
    void aFaultBeforeAnotherSyncIsOne() {
        refused(
                "channel 0, packet 0: pages_alloc 4294967295 is over 8",
                receiver -> {
                    begin(receiver);
                    receiver.sync();
                    receiver.ended(true);
                },
                script(ahead(wrong().bytes())));
    }

    @Test
    void pagesBeforeAnEndThatComesApartAreRefused() {
        refused(
                "pages after the main stream's last sync",
                receiver -> {
                    begin(receiver);
                    receiver.sync();
                    until(() -> session.normal.sum() == 3);
                    receiver.ended(false);
                },
                script(ahead(others().bytes())));
    }

    @Test
    void anEndWithoutASyncIsRefused() {
        refused(
                "the RAM section's END waits for no SYNC",
                receiver -> {
                    receiver.sync();
                    receiver.endSection();
                    receiver.ending();
                    receiver.ended(false);
                },
                script(Wire.hello(0), Wire.sync()));
    }
}
