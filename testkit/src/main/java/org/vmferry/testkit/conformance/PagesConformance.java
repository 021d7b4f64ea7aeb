package org.vmferry.testkit.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.option.Provider;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * What the suites of layouts and carriers share: whole migrations of a machine that is all pages.
 *
 * @param <P> the kind of provider
 */
@Status(Status.Level.STABLE)
public abstract class PagesConformance<P extends Provider> extends ProviderConformance<P> {
    @TempDir Path folder;
    private final AtomicInteger files = new AtomicInteger();

    PagesConformance() {}

    /**
     * Parameters of the migrations, such as a count of channels.
     *
     * @return by default none; capabilities that choose the part are set by the suite
     */
    protected Settings settings() {
        return Settings.NONE;
    }

    static Plugins plugins(List<FileLayout> layouts, List<PageCarrier> carriers) {
        Plugins plugins =
                new Plugins(
                        Set.of(), Set.copyOf(layouts), Set.copyOf(carriers), Set.of(), Set.of());
        for (RejectedPlugin rejected : plugins.rejected())
            fail("the engine does not take it: " + rejected.sentence());
        return plugins;
    }

    final String file() {
        return "file:" + folder.resolve("file-" + files.getAndIncrement());
    }

    /** Through a file, or live over a link; equal at the end. Returns the source's side. */
    final Migration ferry(
            Engine engine, PageHost source, Settings settings, boolean file, String lookAt)
            throws Exception {
        return ferry(engine, source, settings, file, lookAt, begun -> {});
    }

    final Migration ferry(
            Engine engine,
            PageHost source,
            Settings settings,
            boolean file,
            String lookAt,
            Consumer<Migration> begun)
            throws Exception {
        return ferry(engine, source, PageHost.destination(), settings, file, lookAt, begun);
    }

    final Migration ferry(
            Engine engine,
            PageHost source,
            PageHost destination,
            Settings settings,
            boolean file,
            String lookAt,
            Consumer<Migration> begun)
            throws Exception {
        Settings all = settings.plus(settings()).parameter("downtime-limit", "20000");
        Migration out;
        Migration in;
        if (file) {
            String place = file();
            out = engine.send(source, place, all);
            begun.accept(out);
            ended(out, lookAt);
            in = engine.receive(destination, place, all);
        } else {
            in = engine.receive(destination, "tcp:127.0.0.1:0", all);
            out = engine.send(source, in.address().toString(), all);
            begun.accept(out);
            try {
                ended(out, lookAt);
            } catch (Throwable e) {
                in.cancel(); // it may wait for ever
                throw e;
            }
        }
        ended(in, lookAt);
        destination.assertEqual(source, lookAt);
        return out;
    }

    private void ended(Migration migration, String lookAt) throws InterruptedException {
        over(migration);
        works(
                lookAt,
                () -> {
                    migration.await();
                    return null;
                });
    }

    /** Several in one process, at the same time. */
    final void ferryAtOnce(Engine engine, Settings settings, boolean file, String lookAt)
            throws Exception {
        List<Call<Migration>> all = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            all.add(
                    begin(
                            () ->
                                    ferry(
                                            engine,
                                            PageHost.source(),
                                            settings,
                                            file,
                                            lookAt + ": several at once")));
        }
        for (Call<Migration> one : all) end(one, 3, lookAt + ": hang, several at once");
    }

    final void counted(Migration out, PageHost source, String lookAt) {
        var statistics = out.statistics();
        assertEquals(
                source.pages(),
                statistics.normal() + statistics.duplicate(),
                lookAt + ": pages with content and zero pages must come to all");
        assertTrue(statistics.normal() > 0 && statistics.duplicate() > 0, lookAt);
    }
}
