package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Section.Kind;

import java.io.IOException;

/** Writes what a stream has beside RAM, in its order; RAM's sections somebody else. */
public interface SectionWriter {
    /** RAM's number in the stream; known once its START was come to. */
    default int ramNumber() {
        return 1;
    }

    /**
     * Writes on, up to the next of RAM's sections. By default nothing stands between them.
     *
     * @param least that is to be found: RAM's sections before it are passed over
     * @return which one it is
     * @throws MigrationException if no such one follows
     */
    default Kind toRam(Kind least) throws IOException {
        return least == Kind.PART ? Kind.END : least;
    }

    /**
     * Writes all that follows RAM.
     *
     * @param state that the guest had
     * @return the VMDESCRIPTION that goes with it, for {@link DeviceSections#end}; empty for none
     */
    byte[] rest(RunState state) throws IOException;
}
