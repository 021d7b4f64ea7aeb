package org.vmferry.engine.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A file that is open for as long as memory is there. Who asks it afterwards learns nothing: its
 * number may be another file's by then. Any thread.
 */
final class Descriptor {
    private final int number;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private boolean open = true;

    Descriptor(int number) {
        this.number = number;
    }

    /** Its number, for who made it and has not given it away yet. */
    int number() {
        return number;
    }

    /** Bytes that were read, or -1. */
    long read(MemorySegment into, long position) {
        lock.readLock().lock();
        try {
            return open ? MemoryCalls.pread(number, into, position) : -1;
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Where data begins at or after a position.
     *
     * @return {@link Long#MAX_VALUE} if there is none, or -1 if that can't be told
     */
    long nextData(long position) {
        lock.readLock().lock();
        try {
            return open ? MemoryCalls.nextData(number, position) : -1;
        } finally {
            lock.readLock().unlock();
        }
    }

    void close() {
        lock.writeLock().lock();
        try {
            if (open) MemoryCalls.close(number);
            open = false;
        } finally {
            lock.writeLock().unlock();
        }
    }
}
