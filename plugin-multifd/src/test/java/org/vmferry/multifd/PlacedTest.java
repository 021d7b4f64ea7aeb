package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.carrier.PageCarrier.Channels;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.carrier.PageCarrier.Sender;
import org.vmferry.spi.layout.Placement.Placed;
import org.vmferry.spi.layout.Placement.RunMover;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

class PlacedTest {
    private static final Channels NO_CHANNELS =
            () -> {
                throw new AssertionError("places need no channels");
            };

    private final Options options = Options.DEFAULTS.with(MultifdOptions.CHANNELS, 3);
    private final TestSession session = new TestSession("placed", options);
    private final RamBlock ram = Rams.block("pc.ram", 3000, false);
    private final PageBitmap moved = new PageBitmap(3000);
    private final Queue<Run> runs = new ConcurrentLinkedQueue<>();
    private final AtomicInteger open = new AtomicInteger();
    private volatile long failAt = -1;

    private final Placed placed =
            () -> {
                open.incrementAndGet();
                return new RunMover() {
                    @Override
                    public void move(Run run) throws IOException {
                        if (run.firstPage() == failAt) throw new IOException("disk full");
                        moved.fill(run.firstPage(), run.pages(), true);
                        runs.add(run);
                    }

                    @Override
                    public void close() {
                        open.decrementAndGet();
                    }
                };
            };

    @Test
    @Tag("MFD-21")
    void savesWithoutChannelsAndSynchronisesByItself() throws Exception {
        try (Sender sender = new MultifdCarrier().sender(true, NO_CHANNELS, session)) {
            sender.connect();
            sender.start(placed, List.of(ram));
            assertThat(sender.endRound()).isEqualTo(SyncMark.NONE);
            for (int round = 0; round < 50; round++) {
                moved.clearAll();
                sender.send(new Run(ram, 0, 3000));
                assertThat(sender.endRound()).isEqualTo(SyncMark.NONE);
                assertThat(moved.cardinality()).isEqualTo(3000);
                sender.endSection();
            }
            assertThat(runs).allMatch(run -> run.bytes() <= 1 << 20).hasSize(50 * 12);
            assertThat(open).hasValue(3);
            sender.finish();
        }
        assertThat(open).hasValue(0);
        assertThat(session.threads()).isEmpty();
        assertThat(session.failure()).isNull();
    }

    @Test
    @Tag("MFD-21")
    void loadsWhatIsFetched() throws Exception {
        try (Receiver receiver = new MultifdCarrier().receiver(true, session)) {
            receiver.connect("");
            receiver.start(placed, List.of(ram));
            receiver.endSection(); // no synchronisation, and none is waited for
            receiver.fetch(new Run(ram, 17, 2000));
            receiver.sync();
            assertThat(moved.cardinality()).isEqualTo(2000);
            receiver.endSection();
            receiver.finish();
        }
        assertThat(open).hasValue(0);
        assertThat(session.threads()).isEmpty();
    }

    @Test
    @Tag("MFD-22")
    void aWorkersErrorEndsTheMigration() throws Exception {
        failAt = 512;
        try (Sender sender = new MultifdCarrier().sender(true, NO_CHANNELS, session)) {
            sender.connect();
            sender.start(placed, List.of(ram));
            assertThatThrownBy(
                            () -> {
                                sender.send(new Run(ram, 0, 3000));
                                sender.endRound();
                            })
                    .hasMessageContaining("disk full");
        }
        assertThat(session.failure())
                .hasMessageContaining("multifd worker")
                .hasRootCauseMessage("disk full");
        assertThat(open).hasValue(0);
        assertThat(session.threads()).isEmpty();
    }
}
