package org.vmferry.engine.ram;

import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.List;

/**
 * How a source's pages leave, in the order of its methods: as records in the main stream, on a
 * carrier's channels, or each to its place in a file. Used by the migration thread only.
 */
public sealed interface RamOut extends AutoCloseable permits InlineOut, PlacedOut {
    /** Before the main stream begins. */
    default void connect() throws IOException {}

    /** Adds what stands behind a block's length in START. */
    default void block(RamBlock block) throws IOException {}

    /** The block list was written. */
    void start(List<RamBlock> blocks) throws IOException;

    /** Sends a run, or hands it to a worker. */
    void send(Run run) throws IOException;

    /** Pages sent before don't arrive after pages sent later. */
    void endRound() throws IOException;

    /** The last page was sent; the END section is open. */
    default void end() throws IOException {}

    /** The section's end mark is written next. */
    default void endSection() throws IOException {}

    /** Everything was written, the main stream's end too. */
    default void finish() throws IOException {}

    /** Also after a failure; every thread is gone when this returns. */
    @Override
    void close();
}
