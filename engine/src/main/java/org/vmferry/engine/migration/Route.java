package org.vmferry.engine.migration;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;

import java.util.List;
import java.util.Optional;

/**
 * What a migration was put together from; they were checked to fit.
 *
 * @param layout gives pages their places; empty if they are records in the stream
 * @param carrier has channels of its own for them; empty if none is asked for
 * @param notifiers are told of it
 */
public record Route(
        Address address,
        TransportProvider transport,
        Optional<FileLayout> layout,
        Optional<PageCarrier> carrier,
        List<MigrationNotifier> notifiers) {
    /** Who wants more says how many, with a carrier that has them. */
    private static final int MOST_WORKERS = 4;

    /** The same, of which nobody is told. */
    Route quiet() {
        return new Route(address, transport, layout, carrier, List.of());
    }

    /**
     * How many threads move pages to their places or back: as the carrier that is asked for says,
     * else as suits the processor. A file is the same whoever moves its pages, so there is nobody
     * to agree with.
     */
    int fileWorkers(Options options) {
        return carrier.map(carrier -> carrier.fileWorkers(options))
                .orElseGet(() -> forCores(Runtime.getRuntime().availableProcessors()));
    }

    /** One for each core, within reason. */
    static int forCores(int cores) {
        return Math.min(MOST_WORKERS, cores);
    }
}
