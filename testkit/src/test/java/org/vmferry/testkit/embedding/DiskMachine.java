package org.vmferry.testkit.embedding;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;

/** A machine with a disk, whose image lies where both sides reach it: one may have it at a time. */
class DiskMachine extends ForwardingMachine implements AutoCloseable {
    private final Path path;
    private final Consumer<String> says;
    private FileChannel image; // locked; null while it is not this machine's

    DiskMachine(Machine real, Path path, Consumer<String> says) {
        super(real);
        this.path = path;
        this.says = says;
    }

    @Override
    public synchronized void enter(RunState next) throws MigrationException {
        try {
            if (next == RunState.RUNNING && image == null) take();
            real.enter(next); // a guest that stands still writes no more
            if (next != RunState.RUNNING && image != null) flush();
        } catch (IOException e) {
            throw MigrationException.of(e);
        }
    }

    @Override
    public synchronized void handOver() throws MigrationException {
        try {
            if (image != null) giveUp();
        } catch (IOException e) {
            throw MigrationException.of(e);
        }
    }

    private void take() throws IOException {
        FileChannel open = null;
        try {
            open = FileChannel.open(path, StandardOpenOption.WRITE);
            if (open.tryLock() == null) throw new IOException("another process has it");
        } catch (IOException | OverlappingFileLockException e) {
            if (open != null) open.close();
            throw new IOException("the disk's image %s can't be had: %s".formatted(path, e), e);
        }
        image = open;
        says.accept("takes");
    }

    private void flush() throws IOException {
        image.force(false);
        says.accept("flushes");
    }

    private void giveUp() throws IOException {
        image.close(); // and its lock
        image = null;
        says.accept("gives up");
    }

    @Override
    public synchronized void close() throws IOException {
        if (image != null) image.close();
    }
}
