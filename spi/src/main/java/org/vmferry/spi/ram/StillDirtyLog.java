package org.vmferry.spi.ram;

import java.util.Objects;
import java.util.function.Consumer;

/** A log that begins while nothing is stored. */
record StillDirtyLog(DirtyLog log, Consumer<Runnable> whileStopped) implements DirtyLog {
    StillDirtyLog {
        Objects.requireNonNull(log, "log");
        Objects.requireNonNull(whileStopped, "whileStopped");
    }

    @Override
    public void start() {
        boolean[] started = new boolean[1];
        whileStopped.accept(
                () -> {
                    log.start();
                    started[0] = true;
                });
        if (!started[0]) {
            throw new IllegalStateException(
                    "what stops the virtual CPUs (whileStopped) did not run what it was given: the"
                            + " log was not started");
        }
    }

    @Override
    public void stop() {
        log.stop();
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        log.harvest(block, into);
    }
}
