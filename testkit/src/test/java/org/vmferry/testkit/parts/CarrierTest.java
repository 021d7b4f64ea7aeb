package org.vmferry.testkit.parts;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.multifd.MultifdCarrier;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.ForwardingSession;
import org.vmferry.spi.session.Session;
import org.vmferry.testkit.conformance.PageCarrierConformance;
import org.vmferry.testkit.migration.CrewCarrier;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The carriers that come with vmferry, and carriers that break one rule each. */
class CarrierTest {
    private static final Queue<Thread> LEFT = new ConcurrentLinkedQueue<>(); // by a twin

    /** Tests of migrations in this JVM would take them for their own. */
    @AfterAll
    static void nothingIsLeft() throws InterruptedException {
        for (Thread thread : LEFT) {
            thread.interrupt();
            thread.join();
        }
    }

    @Nested
    class Multifd extends PageCarrierConformance {
        @Override
        protected PageCarrier provider() {
            return new MultifdCarrier();
        }
    }

    @Nested
    class Crew extends PageCarrierConformance {
        @Override
        protected PageCarrier provider() {
            return new CrewCarrier();
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(1, List.of(CarrierTest.class), PageCarrierConformance.class, "PRV-");
    }

    /** Multifd under another name, of which a twin changes one thing. */
    abstract static class Suite extends PageCarrierConformance implements PageCarrier {
        private static final Capability TWIN = new Capability("twin");
        private final PageCarrier real = new MultifdCarrier();

        @Override
        protected Duration patience() {
            return Duration.ofSeconds(8);
        }

        @Override
        protected PageCarrier provider() {
            return this;
        }

        @Override
        public String id() {
            return TWIN.name();
        }

        @Override
        public List<Option<?>> options() {
            List<Option<?>> all = new ArrayList<>(real.options());
            all.set(0, TWIN);
            return all;
        }

        @Override
        public int channelMagic() {
            return real.channelMagic();
        }

        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            return new Twin(real.sender(channels, session));
        }

        @Override
        public PageCarrier.Receiver receiver(Session session) {
            return real.receiver(session);
        }

        /** Sends a run, or does not. */
        void send(Run run, PageCarrier.Sender sender) throws IOException {
            sender.send(run);
        }

        class Twin implements PageCarrier.Sender {
            private final PageCarrier.Sender real;

            Twin(PageCarrier.Sender real) {
                this.real = real;
            }

            @Override
            public void connect() throws IOException {
                real.connect();
            }

            @Override
            public void start(List<RamBlock> blocks) throws IOException {
                real.start(blocks);
            }

            @Override
            public void send(Run run) throws IOException {
                Suite.this.send(run, real);
            }

            @Override
            public boolean endRound() throws IOException {
                return real.endRound();
            }

            @Override
            public void endSection() throws IOException {
                real.endSection();
            }

            @Override
            public void finish() throws IOException {
                real.finish();
            }

            @Override
            public void close() {
                real.close();
            }
        }
    }

    /** It is left out, and so nothing that needs it goes. */
    @Breaks({
        "CAR-1", "CAR-2", "CAR-4", "CAR-5", "CAR-6", "CAR-7", "CAR-8", "CAR-9", "CAR-10", "CAR-11",
        "CAR-12"
    })
    @Says({
        "CAR-1: channelMagic(): ",
        "CAR-2: the engine does not take it: page carrier *its channels begin with 0x5145564d",
    })
    static class HasTheMainStreamsMagic extends Suite {
        @Override
        public int channelMagic() {
            return 0x5145564d;
        }
    }

    @Breaks({"CAR-2", "CAR-4", "CAR-7", "CAR-8", "CAR-9", "CAR-10", "CAR-11", "CAR-12"})
    static class LosesSinglePages extends Suite {
        @Override
        void send(Run run, PageCarrier.Sender sender) throws IOException {
            if (run.pages() > 1) super.send(run, sender);
        }
    }

    @Breaks("CAR-3")
    static class HasNobodyForAFile extends Suite {
        @Override
        public int fileWorkers(Options options) {
            return 0;
        }
    }

    @Breaks({"CAR-4", "CAR-12"})
    static class SendsAPageOnce extends Suite {
        private final Set<String> sent = new HashSet<>();

        @Override
        void send(Run run, PageCarrier.Sender sender) throws IOException {
            for (int i = 0; i < run.pages(); i++) {
                Run page = run.part(i, 1);
                // Several migrations at once have blocks of their own.
                String name = System.identityHashCode(run.block()) + ":" + page.firstPage();
                boolean first;
                synchronized (sent) {
                    first = sent.add(name);
                }
                if (first) super.send(page, sender);
            }
        }
    }

    /** It leaves one where it failed, which is not waited for to end by itself. */
    @Breaks({"CAR-5", "CAR-6"})
    static class LeavesAThread extends Suite {
        private volatile boolean left;

        @Override
        protected Duration patience() {
            return left ? Duration.ofMillis(500) : super.patience();
        }

        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            return new Twin(super.sender(channels, session)) {
                private boolean finished;

                @Override
                public void finish() throws IOException {
                    super.finish();
                    finished = true;
                }

                @Override
                public void close() {
                    super.close();
                    if (finished) return;
                    Thread thread =
                            new Thread(
                                    () -> LockSupport.parkNanos(20_000_000_000L),
                                    session.name() + "-left");
                    thread.setDaemon(true);
                    thread.start();
                    LEFT.add(thread);
                    left = true;
                }
            };
        }
    }

    @Breaks("CAR-7")
    static class AsksNobody extends Suite {
        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            return super.sender(
                    channels,
                    new ForwardingSession(session) {
                        @Override
                        public void permit(long bytes) {}
                    });
        }
    }

    @Breaks("CAR-8")
    static class CountsOneTwice extends Suite {
        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            session.counters().zeroPages(1);
            return super.sender(channels, session);
        }
    }

    @Breaks("CAR-9")
    @Says("CAR-9: sender(), receiver(): several at once (it threw page carrier 'twin'*no more")
    static class HasEnoughAtTwo extends Suite {
        private final AtomicInteger made = new AtomicInteger();

        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            if (made.incrementAndGet() > 2) throw new IllegalStateException("no more");
            return super.sender(channels, session);
        }
    }

    @Breaks("CAR-11")
    static class AsksAfterwards extends Suite {
        @Override
        public PageCarrier.Sender sender(Channels channels, Session session) {
            AtomicLong owed = new AtomicLong();
            Session later =
                    new ForwardingSession(session) {
                        @Override
                        public void permit(long bytes) {
                            owed.addAndGet(bytes);
                        }
                    };
            return new Twin(super.sender(channels, later)) {
                @Override
                public boolean endRound() throws IOException {
                    boolean flush = super.endRound();
                    session.permit(owed.getAndSet(0));
                    return flush;
                }
            };
        }
    }

    @Breaks("CAR-10")
    @Says("CAR-10: receiver(): Session.came (it threw the RAM of block ")
    static class KeepsQuietAboutWhatCame extends Suite {
        @Override
        public PageCarrier.Receiver receiver(Session session) {
            return super.receiver(
                    new ForwardingSession(session) {
                        @Override
                        public void came(RamBlock block) {}
                    });
        }
    }

    @Breaks("CAR-12")
    static class KeepsQuietAboutWhatArrives extends Suite {
        @Override
        public PageCarrier.Receiver receiver(Session session) {
            return super.receiver(
                    new ForwardingSession(session) {
                        @Override
                        public void arrives(Run run) {}
                    });
        }
    }
}
