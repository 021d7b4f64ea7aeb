package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.engine.ram.MainCarrier;
import org.vmferry.mappedram.MappedRamLayout;
import org.vmferry.multifd.MultifdCarrier;
import org.vmferry.spi.Feature;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.layout.SyncMark;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;
import org.vmferry.testkit.conformance.PageCarrierConformance;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** The carriers that come with vmferry, and carriers that break one rule each. */
class CarrierTest {
    @Nested
    class Main extends PageCarrierConformance {
        @Override
        protected PageCarrier provider() {
            return new MainCarrier();
        }

        @Override
        protected List<RamLayout> layouts() {
            return List.of(new MappedRamLayout());
        }
    }

    @Nested
    class Multifd extends PageCarrierConformance {
        @Override
        protected PageCarrier provider() {
            return new MultifdCarrier();
        }

        @Override
        protected List<RamLayout> layouts() {
            return List.of(new MappedRamLayout());
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(1, List.of(CarrierTest.class), PageCarrierConformance.class, "PRV-");
    }

    /** The main carrier under another name, of which a twin changes one thing. */
    abstract static class Suite extends PageCarrierConformance implements PageCarrier {
        private static final Capability TWIN = new Capability("twin");
        final PageCarrier real = new MainCarrier();

        @Override
        protected Duration patience() {
            return Duration.ofSeconds(8);
        }

        @Override
        protected List<RamLayout> layouts() {
            return List.of(new MappedRamLayout());
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
            return List.of(TWIN);
        }

        @Override
        public Set<Feature> needs(boolean placed) {
            return Set.of();
        }

        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            return new Twin(real.sender(placed, channels, session));
        }

        @Override
        public PageCarrier.Receiver receiver(boolean placed, Session session) {
            return real.receiver(placed, session);
        }

        /** Sends a run, or does not. */
        void send(Run run, Placement placement, PageCarrier.Sender sender) throws IOException {
            sender.send(run);
        }

        class Twin implements PageCarrier.Sender {
            private final PageCarrier.Sender real;
            private Placement placement;

            Twin(PageCarrier.Sender real) {
                this.real = real;
            }

            @Override
            public void start(Placement placement, List<RamBlock> blocks) throws IOException {
                this.placement = placement;
                real.start(placement, blocks);
            }

            @Override
            public void send(Run run) throws IOException {
                Suite.this.send(run, placement, real);
            }

            @Override
            public SyncMark endRound() throws IOException {
                return real.endRound();
            }

            @Override
            public void close() {
                real.close();
            }
        }
    }

    @Breaks("CAR-1")
    static class HasTheMainStreamsMagic extends Suite {
        @Override
        public int channelMagic() {
            return 0x5145564d;
        }
    }

    @Breaks({"CAR-2", "CAR-3", "CAR-4", "CAR-7", "CAR-8", "CAR-9", "CAR-10", "CAR-11"})
    static class LosesSinglePages extends Suite {
        @Override
        void send(Run run, Placement placement, PageCarrier.Sender sender) throws IOException {
            if (run.pages() > 1) super.send(run, placement, sender);
        }
    }

    @Breaks("CAR-3")
    static class LosesPlacedPages extends Suite {
        @Override
        void send(Run run, Placement placement, PageCarrier.Sender sender) throws IOException {
            if (run.pages() > 1 || placement instanceof Placement.Framed)
                super.send(run, placement, sender);
        }
    }

    @Breaks("CAR-4")
    static class SendsAPageOnce extends Suite {
        private final Set<String> sent = new HashSet<>();

        @Override
        void send(Run run, Placement placement, PageCarrier.Sender sender) throws IOException {
            for (int i = 0; i < run.pages(); i++) {
                Run page = run.part(i, 1);
                // Several migrations at once have blocks of their own.
                String name = System.identityHashCode(run.block()) + ":" + page.firstPage();
                boolean first;
                synchronized (sent) {
                    first = sent.add(name);
                }
                if (first) super.send(page, placement, sender);
            }
        }
    }

    @Breaks({"CAR-5", "CAR-6"})
    static class LeavesAThread extends Suite {
        @Override
        protected Duration patience() {
            return Duration.ofSeconds(5);
        }

        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            return new Twin(real.sender(placed, channels, session)) {
                @Override
                public void close() {
                    super.close();
                    Thread left =
                            new Thread(
                                    () -> LockSupport.parkNanos(20_000_000_000L),
                                    session.name() + "-left");
                    left.setDaemon(true);
                    left.start();
                }
            };
        }
    }

    @Breaks("CAR-7")
    static class AsksNobody extends Suite {
        @Override
        void send(Run run, Placement placement, PageCarrier.Sender sender) throws IOException {
            if (placement instanceof Placement.Framed framed) {
                for (int i = 0; i < run.pages(); i++) {
                    Run page = run.part(i, 1);
                    byte[] bytes = new byte[run.block().pageSize()];
                    run.block().read(page.offset(), MemorySegment.ofArray(bytes));
                    boolean zero = true;
                    for (byte b : bytes) zero &= b == 0;
                    if (zero) framed.records().zeros(page);
                    else framed.records().pages(page);
                }
            } else {
                super.send(run, placement, sender);
            }
        }
    }

    @Breaks("CAR-8")
    static class CountsOneTwice extends Suite {
        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            session.counters().zeroPages(1);
            return super.sender(placed, channels, session);
        }
    }

    @Breaks("CAR-9")
    static class HasEnoughAtTwo extends Suite {
        private final AtomicInteger made = new AtomicInteger();

        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            if (made.incrementAndGet() > 2) throw new IllegalStateException("no more");
            return super.sender(placed, channels, session);
        }
    }

    @Breaks("CAR-11")
    static class AsksAfterwards extends Suite {
        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            AtomicLong owed = new AtomicLong();
            Session later =
                    (Session)
                            Proxy.newProxyInstance(
                                    Session.class.getClassLoader(),
                                    new Class<?>[] {Session.class},
                                    (self, method, arguments) -> {
                                        if (!method.getName().equals("permit"))
                                            return method.invoke(session, arguments);
                                        owed.addAndGet((long) arguments[0]);
                                        return null;
                                    });
            return new Twin(real.sender(placed, channels, later)) {
                @Override
                public SyncMark endRound() throws IOException {
                    session.permit(owed.getAndSet(0));
                    return super.endRound();
                }
            };
        }
    }

    @Breaks("CAR-10")
    static class KeepsQuietAboutWhatCame extends Suite {
        private final PageCarrier multifd = new MultifdCarrier();

        @Override
        public String id() {
            return multifd.id();
        }

        @Override
        public List<Option<?>> options() {
            return multifd.options();
        }

        @Override
        public Set<Feature> needs(boolean placed) {
            return multifd.needs(placed);
        }

        @Override
        public int channelMagic() {
            return multifd.channelMagic();
        }

        @Override
        public PageCarrier.Sender sender(boolean placed, Channels channels, Session session) {
            return multifd.sender(placed, channels, session);
        }

        @Override
        public PageCarrier.Receiver receiver(boolean placed, Session session) {
            Session quiet =
                    (Session)
                            Proxy.newProxyInstance(
                                    Session.class.getClassLoader(),
                                    new Class<?>[] {Session.class},
                                    (self, method, arguments) ->
                                            method.getName().equals("came")
                                                    ? null
                                                    : method.invoke(session, arguments));
            return multifd.receiver(placed, quiet);
        }
    }
}
