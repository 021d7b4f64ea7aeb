package org.vmferry.testkit.parts;

import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A sample: forbids migrations while a disk is busy, and counts those under way. */
class DrainNotifier implements MigrationNotifier {
    final AtomicInteger underWay = new AtomicInteger();
    private final BooleanSupplier busy;

    DrainNotifier(BooleanSupplier busy) {
        this.busy = busy;
    }

    @Override
    public String id() {
        return "drain";
    }

    @Override
    public void notify(MigrationEvent event) throws MigrationVeto {
        switch (event) {
            case MigrationEvent.PrecopySetup setup -> {
                if (busy.getAsBoolean()) throw new MigrationVeto("the disk is being checked");
                underWay.incrementAndGet();
            }
            case MigrationEvent.PrecopyDone done -> underWay.decrementAndGet();
            case MigrationEvent.PrecopyFailed failed -> underWay.decrementAndGet();
        }
    }
}
