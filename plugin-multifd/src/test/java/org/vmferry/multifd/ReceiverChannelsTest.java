package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.transport.Channel;

import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/** Channels among themselves: which belong, which have ended, whose packets are missing. */
class ReceiverChannelsTest extends Receiving {
    /** A QEMU before 10.0 ends its TLS channels without a word, and has sent everything. */
    @ParameterizedTest
    @ValueSource(strings = {"pc-i440fx-7.2", "pc-q35-9.2", "raspi3b", ""})
    @Tag("MFD-20")
    void anOldPeersChannelThatIsCutHasEnded(String of) throws Exception {
        machine = of;
        receive(
                receiver -> {
                    MODERN.run(receiver);
                    while (!session.threads().isEmpty()) LockSupport.parkNanos(200_000);
                },
                new Scripted(numbered(), 0, false).cut());
        assertApplied();
        // Not while it is waited for, and not within a packet.
        byte[] script = join(Wire.hello(0), Wire.sync(), pages().bytes());
        refused("ended before the SYNC", MODERN, new Scripted(script, 0, false).cut());
        byte[] less = Arrays.copyOf(script, script.length - 1);
        refused("it was cut", MODERN, new Scripted(less, 0, false).cut());
    }

    private byte[] numbered() {
        Wire.Pages pages = pages();
        pages.number = 1;
        return join(Wire.hello(0), Wire.sync(0), pages.bytes(), Wire.sync(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pc-i440fx-10.0", "virt-11.0", "mine"})
    @Tag("MFD-20")
    void aNewPeersMustEndInOrder(String of) {
        machine = of;
        refused(
                "it was cut",
                receiver -> {
                    MODERN.run(receiver);
                    while (session.failure() == null) LockSupport.parkNanos(200_000);
                },
                new Scripted(numbered(), 0, false).cut());
    }

    private static Scripted stalled(byte[]... parts) {
        return new Scripted(join(parts), 0, true);
    }

    private static Scripted living(int id) {
        return stalled(Wire.hello(id), Wire.sync());
    }

    @Test
    @Tag("MFD-2")
    void whoDoesNotBelongFailsNothing() throws Exception {
        Channel[] strangers = {
            script(Wire.hello(0x11223344, 1, new UUID(1, 1), 1)),
            script(Wire.hello(0x11223344, 2, new UUID(0, 0), 1)),
            script(Wire.hello(0x11223345, 1, new UUID(0, 0), 1)),
            script(Arrays.copyOf(Wire.hello(1), 60)),
            script(),
            script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync())
        };
        receive(1, MODERN, strangers);
        assertApplied();
        for (int i = 0; i < 5; i++) assertThat(strangers[i].isOpen()).isFalse();
    }

    @Test
    @Tag("MFD-2")
    void anotherMachinesChannelsAreNamedWhereOnesOwnAreMissing() {
        patience = 200;
        refused(
                1,
                "others came for machine 00000000-0000-0001-0000-000000000001",
                MODERN,
                script(Wire.hello(0x11223344, 1, new UUID(1, 1), 0)));
    }

    @Test
    @Tag("MFD-2")
    @Tag("MFD-22")
    void whatBelongsAndIsTooManyFailsIt() {
        refused(2, "id 0, which is taken by one from script", MODERN, living(0), living(0));
        refused(2, "id 2, there are 2 here", MODERN, living(0), living(2));
        // It lives, as far as can be told.
        refused(2, "id 0, which is taken", MODERN, stalled(Wire.hello(0)), stalled(Wire.hello(0)));
    }

    /** What a source that died has left: its channels' ends are there, and its ids are free. */
    @Test
    @Tag("MFD-2")
    void aDeadSourcesChannelsGiveTheirIdsUp() throws Exception {
        receive(
                2,
                MODERN,
                script(Wire.hello(0)),
                script(Wire.hello(1)),
                script(Wire.hello(1), Wire.sync(), Wire.sync()),
                script(Wire.hello(0), Wire.sync(), pages().bytes(), Wire.sync()));
        assertApplied();
    }

    @Test
    @Tag("MFD-23")
    void stallsEnd() {
        patience = 200;
        refused(
                "of 2, 1 said hello and 1 began within 200 ms",
                MODERN,
                stalled(Arrays.copyOf(Wire.hello(1), 63)),
                living(0));
        refused(
                "multifd channel 1 from script: nothing came for 200 ms",
                MODERN,
                living(0),
                stalled(Wire.hello(1), Arrays.copyOf(Wire.sync(), 99)));
    }

    @Test
    @Tag("MFD-23")
    void aChannelIsTimedByItsOwnBytes() {
        patience = 300;
        byte[] begun = join(Wire.hello(0), Wire.sync(), Arrays.copyOf(pages().bytes(), HEADER));
        refused(
                "multifd channel 1 from script: nothing came for 300 ms",
                MODERN,
                new Scripted(begun, 0, true).dripping(),
                stalled(Wire.hello(1), Wire.sync()));
    }

    private static byte[] sync(long number) {
        Wire.Pages packet = new Wire.Pages();
        packet.alloc = 0;
        packet.flags = 1;
        packet.number = number;
        return packet.bytes();
    }

    private byte[] pages(long number) {
        Wire.Pages packet = pages();
        packet.number = number;
        return packet.bytes();
    }

    /** A channel that is not here took number 2, and pages with it. */
    @ParameterizedTest
    @ValueSource(strings = {"java", "pc-i440fx-9.0", "virt-10.1"})
    @Tag("MFD-12")
    void aGapInTheNumbersIsAnErrorAtTheSync(String name) {
        machine = name;
        refused(
                "from number 1 on, 2 came by this sync, numbered 1 to 3",
                MODERN,
                script(Wire.hello(0), sync(0), pages(1), sync(3)));
        refused(
                "from number 0 on, 1 came by this sync, numbered 1 to 1",
                MODERN,
                script(Wire.hello(0), sync(1), pages(2), sync(3)));
        refused("numbered 1 to 1", MODERN, script(Wire.hello(0), sync(0), pages(1), sync(1)));
        refused(
                "numbered 18446744073709551615 to 18446744073709551615",
                MODERN,
                script(Wire.hello(0), sync(-1), sync(1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "pc-i440fx-8.2", "pc-q35-rhel9.4.0", "raspi3b"})
    @Tag("MFD-12")
    void oldPeersNumbersAreNotLookedAt(String name) throws Exception {
        machine = name;
        receive(Wire.hello(0), sync(0), pages(7), sync(7));
        assertApplied();
    }

    @Test
    @Tag("MFD-12")
    void numbersGoOverAllChannels() throws Exception {
        machine = "java";
        receive(
                MODERN,
                script(Wire.hello(0), sync(1), pages(3), sync(5)),
                script(Wire.hello(1), sync(0), pages(2), sync(4)));
        assertApplied();
    }

    @Test
    @Tag("MFD-17")
    void anyOrderOfHellos() throws Exception {
        receive(
                MODERN,
                script(Wire.hello(1), Wire.sync(), Wire.sync()),
                script(Wire.hello(2), Wire.sync(), pages().bytes(), Wire.sync()),
                script(Wire.hello(0), Wire.sync(), Wire.sync()));
        assertApplied();
    }
}
