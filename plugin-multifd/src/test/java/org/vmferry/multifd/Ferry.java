package org.vmferry.multifd;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.doubles.Loopback;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.ram.ZeroPages;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** Both ends over loopback; a queue stands for the main stream. */
final class Ferry implements AutoCloseable {
    enum Mark {
        SYNC,
        SECTION_END,
        END,
        FAILED
    }

    final TestSession source;
    final TestSession destination;
    private final Loopback loopback = new Loopback();
    private final BlockingQueue<Object> main = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> received;
    private final Thread receiver;
    private final PageCarrier.Sender sender;

    Ferry(
            String name,
            Options options,
            CompressionProvider codec,
            List<RamBlock> from,
            List<RamBlock> to)
            throws IOException {
        UUID uuid = new UUID(5, 6);
        source = new TestSession(name + "-src", options, uuid, codec);
        destination = new TestSession(name + "-dst", options, uuid, codec);
        source.onFail.add(() -> main.add(Mark.FAILED));
        destination.onFail.add(() -> main.add(Mark.FAILED));
        received = new CompletableFuture<>();
        receiver = Thread.ofPlatform().start(() -> receive(to));
        sender = new MultifdCarrier().sender(loopback.of(source), source);
        try {
            sender.connect();
            sender.start(from);
            round();
            endSection();
        } catch (IOException | RuntimeException e) {
            source.fail(e);
            throw e;
        }
    }

    private void receive(List<RamBlock> to) {
        try (PageCarrier.Receiver in = new MultifdCarrier().receiver(destination)) {
            loopback.serve(Hello.MAGIC, in, destination);
            in.connect("java");
            in.start(to);
            for (Object next = main.take(); next != Mark.END; next = main.take()) {
                if (next == Mark.SYNC) in.sync();
                else if (next == Mark.SECTION_END) in.endSection();
                else if (next instanceof Run run) zero(to, run);
                else destination.check();
            }
            in.finish();
            received.complete(null);
        } catch (Throwable e) {
            destination.fail(e);
            received.completeExceptionally(e);
        }
    }

    private static void zero(List<RamBlock> to, Run run) {
        for (RamBlock block : to) {
            if (!block.id().equals(run.block().id())) continue;
            block.write(run.offset(), MemorySegment.ofArray(new byte[(int) run.bytes()]));
        }
    }

    /** As the engine does it: zero pages go into the main stream, if they are left to it. */
    void send(Run run) throws IOException {
        if (!sender.leavesZeroPages()) {
            sender.send(run);
            return;
        }
        ZeroPages.Extents<IOException> divided =
                new ZeroPages.Extents<>() {
                    @Override
                    public void zeros(Run zeros) {
                        main.add(zeros);
                    }

                    @Override
                    public void others(Run others, MemorySegment bytes) throws IOException {
                        sender.send(others);
                    }
                };
        try (Staging staging = new Staging()) {
            ZeroPages.divide(run, staging, divided);
        }
    }

    void round() throws IOException {
        if (sender.endRound()) main.add(Mark.SYNC);
    }

    void endSection() throws IOException {
        sender.endSection();
        main.add(Mark.SECTION_END);
    }

    /** Ends both in order, and throws what either has met. */
    void finish() throws Exception {
        main.add(Mark.END);
        sender.finish();
        received.get();
    }

    @Override
    public void close() throws Exception {
        sender.close();
        if (!received.isDone()) destination.fail(new IOException("the source has gone"));
        receiver.join();
        loopback.close();
    }
}
