package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;
import org.vmferry.testkit.fault.Fault;
import org.vmferry.testkit.fault.Faults;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/** A page carrier: docs/spi/carrier.md. */
@Status(Status.Level.EXPERIMENTAL)
public abstract class PageCarrierConformance extends PagesConformance<PageCarrier> {
    private static final int MAIN_MAGIC = 0x5145564d; // "QEVM"

    /** For the author's class. */
    protected PageCarrierConformance() {}

    private Engine engine() throws Exception {
        return new Engine(plugins(List.of(), List.of(provider())));
    }

    private Settings chosen() throws Exception {
        return Settings.NONE.capability(provider().id());
    }

    @Test
    @Tag("CAR-1")
    final void whatItNeedsDoesNotChange() throws Exception {
        int magic = provider().channelMagic();
        assertEquals(magic, provider().channelMagic(), "channelMagic(): differs from call to call");
        assertTrue(
                magic != 0 && magic != MAIN_MAGIC,
                "channelMagic(): its channels can't be told from the main one");
    }

    @Test
    @Tag("CAR-2")
    final void everyPageArrives() throws Exception {
        ferry(engine(), PageHost.source(), chosen(), false, "send(): a page did not arrive");
    }

    @Test
    @Tag("CAR-3")
    final void somebodyMovesTheFilesPages() throws Exception {
        int workers = provider().fileWorkers(Options.DEFAULTS);
        assertTrue(workers >= 1, "fileWorkers(): nobody moves pages");
        assertEquals(
                workers,
                provider().fileWorkers(Options.DEFAULTS),
                "fileWorkers(): differs from call to call");
    }

    @Test
    @Tag("CAR-4")
    final void theLastOfAPageArrivesLast() throws Exception {
        ferry(
                engine(),
                PageHost.restless(),
                chosen(),
                false,
                "send(), endRound(): a page was sent twice, and is not as it was sent last");
    }

    private void noThreads(Migration migration, Set<Thread> before) {
        await(
                "close(): threads of " + migration.name() + " are left",
                () ->
                        Thread.getAllStackTraces().keySet().stream()
                                .filter(thread -> !before.contains(thread))
                                .noneMatch(
                                        thread ->
                                                thread.getName()
                                                        .startsWith(migration.name() + "-")));
    }

    /** Both sides of a migration that can't come to its end. */
    private void breaks(Fault fault, boolean cancel) throws Exception {
        Plugins plugins = plugins(List.of(), List.of(provider()));
        Faults link = new Faults(fault);
        Engine engine = new Engine(plugins.plus(link.over(plugins.transport("tcp"))));
        Settings all = chosen().plus(settings());
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        Migration in = engine.receive(PageHost.destination(), "tcp:127.0.0.1:0", all);
        Migration out = engine.send(PageHost.source(), "faulty-" + in.address(), all);
        try {
            if (cancel) {
                assertTrue(
                        link.awaitStruck(patience()),
                        () -> "send(): the stream is too short to stall" + where(out));
                assertTrue(out.cancel(), "a migration that hangs was not to be cancelled");
            }
            over(out);
            over(in);
        } catch (Throwable e) {
            out.cancel();
            in.cancel(); // it may wait for ever
            throw e;
        }
        assertNotEquals(MigrationState.COMPLETED, out.state(), "send(), finish(): a lost channel");
        assertNotEquals(MigrationState.COMPLETED, in.state(), "sync(), finish(): a lost channel");
        noThreads(out, before);
        noThreads(in, before);
    }

    @Test
    @Tag("CAR-5")
    final void aLostChannelEndsBoth() throws Exception {
        for (int channel = 0; channel < 2; channel++)
            breaks(Fault.cut(channel == 0 ? 100 : 30_000).onChannel(channel), false);
    }

    @Test
    @Tag("CAR-6")
    final void aPeerThatHangsIsLeft() throws Exception {
        for (int channel = 0; channel < 2; channel++)
            breaks(Fault.stall(channel == 0 ? 100 : 30_000).onChannel(channel), true);
    }

    /** The carrier, with its session's permits counted, and somebody who is told before each. */
    private record Probe(PageCarrier real, AtomicLong permitted, Runnable before)
            implements PageCarrier {
        static final Capability PROBE = new Capability("probe");

        @Override
        public String id() {
            return PROBE.name();
        }

        @Override
        public List<Option<?>> options() {
            List<Option<?>> all = new ArrayList<>(real.options());
            all.add(PROBE);
            return all;
        }

        @Override
        public int fileWorkers(Options options) {
            return real.fileWorkers(options);
        }

        @Override
        public int channelMagic() {
            return real.channelMagic();
        }

        @Override
        public Sender sender(Channels channels, Session session) {
            return real.sender(channels, new ProbeSession(session, permitted, before));
        }

        @Override
        public Receiver receiver(Session session) {
            return real.receiver(session);
        }
    }

    @Test
    @Tag("CAR-7")
    final void itAsksLeave() throws Exception {
        AtomicLong permitted = new AtomicLong();
        Engine engine =
                new Engine(plugins(List.of(), List.of(new Probe(provider(), permitted, () -> {}))));
        Migration out =
                ferry(
                        engine,
                        PageHost.source(),
                        Settings.NONE.capability(Probe.PROBE.name()),
                        false,
                        "send()");
        long least = settings().parameters().containsKey("multifd-compression") ? 1 : PageHost.PAGE;
        assertTrue(
                permitted.get() >= out.statistics().normal() * least,
                "send(): asked Session.permit for %d bytes, sent %d pages"
                        .formatted(permitted.get(), out.statistics().normal()));
    }

    @Test
    @Tag("CAR-8")
    final void everyPageIsCounted() throws Exception {
        PageHost source = PageHost.source();
        Migration out = ferry(engine(), source, chosen(), false, "send()");
        counted(out, source, "Session.counters()");
    }

    @Test
    @Tag("CAR-11")
    final void whatIsNotSentIsNotCounted() throws Exception {
        // What is not counted remains to be sent, and a page is not sent before leave is given.
        long least = settings().parameters().containsKey("multifd-compression") ? 1 : PageHost.PAGE;
        CompletableFuture<Migration> begun = new CompletableFuture<>();
        AtomicLong permitted = new AtomicLong();
        AtomicLong early = new AtomicLong();
        Runnable look =
                () -> {
                    long normal = begun.join().statistics().normal();
                    if (normal * least > permitted.get()) early.incrementAndGet();
                };
        ferry(
                new Engine(plugins(List.of(), List.of(new Probe(provider(), permitted, look)))),
                PageHost.source(),
                Settings.NONE.capability(Probe.PROBE.name()),
                false,
                "send()",
                begun::complete);
        assertEquals(0, early.get(), "pages were counted before Session.permit was asked for them");
    }

    @Test
    @Tag("CAR-10")
    final void itSaysWhatCame() throws Exception {
        // A block of which nothing came, not even zeros, would be one that its source left out.
        ferry(
                engine(),
                PageHost.source(),
                chosen().capability("x-ignore-shared"),
                false,
                "receiver(): Session.came");
    }

    @Test
    @Tag("CAR-12")
    final void itSaysWhatArrives() throws Exception {
        // Of a fresh block a page that did not arrive is zero, and is not looked at.
        ferry(
                engine(),
                PageHost.fading(),
                PageHost.fresh(),
                chosen(),
                false,
                "receiver(): Session.arrives",
                begun -> {});
    }

    @Test
    @Tag("CAR-9")
    final void manyAtOnce() throws Exception {
        ferryAtOnce(engine(), chosen(), false, "sender(), receiver()");
    }
}
