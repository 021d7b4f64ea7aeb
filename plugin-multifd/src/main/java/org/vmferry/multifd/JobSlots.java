package org.vmferry.multifd;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;

/**
 * Hands jobs from the migration thread to workers: each has one slot, which is empty or holds one
 * job. Whatever is put there is taken once, and one worker's jobs are done in the order in which
 * they were given; so a job that synchronises never overtakes or swallows another (rule MFD-15).
 *
 * @param <J> what a worker does
 */
final class JobSlots<J> {
    private final WorkerThreads workers;
    private final Condition room;
    private final List<Slot<J>> slots = new ArrayList<>();
    private int next;

    private static final class Slot<J> {
        final Condition filled;
        J job;
        boolean busy = true; // until it asks for its first job

        Slot(Condition filled) {
            this.filled = filled;
        }
    }

    JobSlots(WorkerThreads workers, int size) {
        this.workers = workers;
        room = workers.condition();
        for (int i = 0; i < size; i++) slots.add(new Slot<>(workers.condition()));
    }

    /**
     * Gives a job to whoever is free; waits for an empty slot.
     *
     * @throws IOException if the migration has failed
     */
    void give(J job) throws IOException {
        workers.lock.lock();
        try {
            Slot<J> slot = choose();
            for (; slot == null; slot = choose()) await();
            put(slot, job);
        } finally {
            workers.lock.unlock();
        }
    }

    /**
     * Waits until everything is done, gives everybody the same job, and waits again.
     *
     * @throws IOException if the migration has failed
     */
    void giveAll(J job) throws IOException {
        workers.lock.lock();
        try {
            drain();
            for (Slot<J> slot : slots) put(slot, job);
            drain();
        } finally {
            workers.lock.unlock();
        }
    }

    /**
     * Waits until everything that was given is done.
     *
     * @throws IOException if the migration has failed
     */
    void drain() throws IOException {
        workers.lock.lock();
        try {
            workers.check();
            for (Slot<J> slot : slots) while (slot.job != null || slot.busy) await();
        } finally {
            workers.lock.unlock();
        }
    }

    /**
     * A worker's next job. Asking for it says that the one before is done.
     *
     * @param worker its number
     * @return null if there will be none
     */
    J take(int worker) {
        workers.lock.lock();
        try {
            Slot<J> slot = slots.get(worker);
            slot.busy = false;
            if (slot.job == null) room.signal();
            while (slot.job == null && !workers.over()) slot.filled.awaitUninterruptibly();
            if (workers.over()) return null;
            J job = slot.job;
            slot.job = null;
            slot.busy = true;
            room.signal();
            return job;
        } finally {
            workers.lock.unlock();
        }
    }

    /** An idle worker's slot if there is one, else any empty one; each in turn. */
    private Slot<J> choose() {
        Slot<J> empty = null;
        for (int i = 0; i < slots.size(); i++) {
            Slot<J> slot = slots.get((next + i) % slots.size());
            if (slot.job != null) continue;
            if (!slot.busy) {
                empty = slot;
                next = (next + i + 1) % slots.size();
                break;
            }
            if (empty == null) empty = slot;
        }
        return empty;
    }

    private void put(Slot<J> slot, J job) throws IOException {
        workers.check();
        slot.job = job;
        slot.filled.signal();
    }

    private void await() throws IOException {
        workers.check();
        room.awaitUninterruptibly();
        workers.check();
    }
}
