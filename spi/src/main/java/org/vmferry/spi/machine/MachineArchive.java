package org.vmferry.spi.machine;

import org.vmferry.spi.Status;

/** A host that understands no devices, but keeps what a machine sent, and gives it back. */
@Status(Status.Level.STABLE)
public non-sealed interface MachineArchive extends Migratable {
    /**
     * Keeps all but RAM.
     *
     * @return never null
     */
    SectionStore sections();
}
