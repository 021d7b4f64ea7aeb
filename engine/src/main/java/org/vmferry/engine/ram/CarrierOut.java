package org.vmferry.engine.ram;

import static org.vmferry.engine.stream.Wire.MULTIFD_FLUSH;

import org.vmferry.engine.stream.StreamOut;
import org.vmferry.spi.carrier.PageCarrier.Sender;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** RAM on a carrier's channels; what the carrier leaves to the main stream is in records. */
public final class CarrierOut extends InlineOut {
    private final Sender sender;
    private final BufferedBlocks buffered;

    /** With a sender, which this closes. */
    public CarrierOut(StreamOut out, Session session, Sender sender) {
        this(out, session, sender, new BufferedBlocks(session));
    }

    CarrierOut(StreamOut out, Session session, Sender sender, BufferedBlocks buffered) {
        super(out, session);
        this.sender = sender;
        this.buffered = buffered;
    }

    @Override
    public void connect() throws IOException {
        sender.connect();
    }

    @Override
    public void start(List<RamBlock> blocks) throws IOException {
        sender.start(blocks.stream().map(buffered::of).toList());
    }

    @Override
    public void send(Run run) throws IOException {
        if (sender.leavesZeroPages()) super.send(run);
        else sender.send(buffered.of(run));
    }

    @Override
    public void others(Run run, MemorySegment bytes) throws IOException {
        sender.send(buffered.of(run));
    }

    @Override
    public void endRound() throws IOException {
        if (sender.endRound()) out.u64(MULTIFD_FLUSH);
    }

    @Override
    public void endSection() throws IOException {
        sender.endSection();
    }

    @Override
    public void finish() throws IOException {
        sender.finish();
    }

    @Override
    public void close() {
        try {
            sender.close();
        } finally {
            super.close();
        }
    }
}
