package org.vmferry.it.fuzz;

import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;

/** A plug-in for a jar of {@link Jar}; its class is changed there, and not run here. */
public final class LittleNotifier implements MigrationNotifier {
    @Override
    public String id() {
        return "little";
    }

    @Override
    public void notify(MigrationEvent event) {
        // Nobody here migrates.
    }
}
