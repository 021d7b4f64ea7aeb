package org.vmferry.engine.guard;

import org.vmferry.spi.machine.Migratable;

/** A machine of the engine's own that stands for a host's: who uses the one uses the other. */
public interface StandIn {
    /** Whom it stands for. */
    Migratable machine();
}
