package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A file layout: docs/spi/layout.md. */
@Status(Status.Level.EXPERIMENTAL)
public abstract class FileLayoutConformance extends PagesConformance<FileLayout> {
    /** For the author's class. */
    protected FileLayoutConformance() {}

    /** One worker moves pages, so that what several do wrong is one rule's finding. */
    private Engine engine() throws Exception {
        return engine(1);
    }

    private Engine engine(int workers) throws Exception {
        return new Engine(plugins(List.of(provider()), List.of(new Hands(workers))));
    }

    private Settings chosen() throws Exception {
        return Settings.NONE.capability(provider().id()).capability(Hands.HANDS.name());
    }

    /** Nothing but a number of workers, whatever cores there are. */
    private static final class Hands implements PageCarrier {
        static final Capability HANDS = new Capability("hands");
        private final int count;

        Hands(int count) {
            this.count = count;
        }

        @Override
        public String id() {
            return HANDS.name();
        }

        @Override
        public List<Option<?>> options() {
            return List.of(HANDS);
        }

        @Override
        public int channelMagic() {
            return 1;
        }

        @Override
        public int fileWorkers(Options options) {
            return count;
        }

        @Override
        public Sender sender(Channels channels, Session session) {
            throw new AssertionError("a file has no channels");
        }

        @Override
        public Receiver receiver(Session session) {
            throw new AssertionError("a file has no channels");
        }
    }

    @Test
    @Tag("LAY-1")
    final void severalWorkersMovePages() throws Exception {
        ferry(engine(4), PageHost.source(), chosen(), true, "move(): with four workers");
    }

    @Test
    @Tag("LAY-2")
    final void whatIsSavedIsLoaded() throws Exception {
        String lookAt = "saver(), loader(): what was saved is not what was loaded";
        ferry(engine(), PageHost.source(), chosen(), true, lookAt);
    }

    @Test
    @Tag("LAY-3")
    final void theLastOfAPageCounts() throws Exception {
        ferry(
                engine(),
                PageHost.restless(),
                chosen(),
                true,
                "move(): a page was written twice, and is not as it was written last");
    }

    @Test
    @Tag("LAY-5")
    final void whatIsDamagedNeverCrashes() throws Exception {
        Engine engine = engine();
        Settings all = chosen().plus(settings());
        String place = file();
        Migration save = engine.send(PageHost.source(), place, all);
        over(save);
        save.await();
        byte[] whole = Files.readAllBytes(Path.of(place.substring(5)));
        // The head of the stream is where a layout's own words are; then cuts all over it.
        for (int at = 20; at < 300; at += 7) {
            byte[] bad = whole.clone();
            bad[at] ^= (byte) (at % 2 == 0 ? 0xff : 0x80);
            survives(engine, all, bad, "a byte at " + at + " is wrong");
        }
        for (int i = 1; i < 6; i++) {
            byte[] cut = Arrays.copyOf(whole, (int) ((long) whole.length * i / 6));
            survives(engine, all, cut, "it is cut at " + cut.length);
        }
    }

    private void survives(Engine engine, Settings all, byte[] bad, String what) throws Exception {
        String place = file();
        Path path = Path.of(place.substring(5));
        Files.write(path, bad);
        Migration load;
        try {
            load = engine.receive(PageHost.destination(), place, all);
        } catch (IOException e) {
            return;
        }
        over(load);
        try {
            load.await();
        } catch (MigrationException e) {
            assertNotEquals(
                    Blame.PLUGIN, e.blame(), "loader(): crashed where %s: %s".formatted(what, e));
        } finally {
            Files.delete(path);
        }
    }

    @Test
    @Tag("LAY-6")
    final void everyPageIsCounted() throws Exception {
        PageHost source = PageHost.source();
        Migration out = ferry(engine(), source, chosen(), true, "saver(), loader()");
        counted(out, source, "Session.counters()");
    }

    @Test
    @Tag("LAY-7")
    final void manyAtOnce() throws Exception {
        ferryAtOnce(engine(), chosen(), true, "saver(), loader()");
    }
}
