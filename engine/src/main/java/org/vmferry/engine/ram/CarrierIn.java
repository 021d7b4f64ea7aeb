package org.vmferry.engine.ram;

import org.vmferry.engine.stream.StreamIn;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.Collection;
import java.util.List;

/** RAM from a carrier's channels; what the carrier leaves to the main stream is in records. */
public final class CarrierIn extends InlineIn {
    private final Receiver receiver;
    private final BufferedBlocks buffered;

    /** With a receiver, which this closes. */
    public CarrierIn(StreamIn in, Session session, Receiver receiver) {
        this(in, session, receiver, new BufferedBlocks(session));
    }

    CarrierIn(StreamIn in, Session session, Receiver receiver, BufferedBlocks buffered) {
        super(in, session);
        this.receiver = receiver;
        this.buffered = buffered;
    }

    @Override
    public void connect(String machine) throws IOException {
        receiver.connect(machine);
    }

    @Override
    public RamBlock opened(RamBlock block) {
        return buffered.of(block);
    }

    @Override
    public void start(Collection<RamBlock> blocks) throws IOException {
        receiver.start(List.copyOf(blocks));
    }

    @Override
    void flush() throws IOException {
        receiver.sync();
    }

    @Override
    void endSection() throws IOException {
        receiver.endSection();
    }

    @Override
    void ending() throws IOException {
        receiver.ending();
    }

    @Override
    void ended(boolean flush) throws IOException {
        receiver.ended(flush);
    }

    @Override
    public void finish() throws IOException {
        receiver.finish();
    }

    @Override
    public void close() {
        try {
            receiver.close();
        } finally {
            super.close();
        }
    }
}
