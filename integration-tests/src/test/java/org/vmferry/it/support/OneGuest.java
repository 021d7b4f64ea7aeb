package org.vmferry.it.support;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A guest that may be in several places, and counts in how many it runs. */
public final class OneGuest {
    private static final int PAGE = 4096;
    private static final int PAGES = 64;

    private int running; // guarded by this, as below
    private int most;

    /** A machine for it. */
    public Place at(RunState state) {
        return new Place(state);
    }

    /** In how many places it ran at the same moment. */
    public synchronized int mostAtOnce() {
        return most;
    }

    private synchronized void count(int change) {
        running += change;
        most = Math.max(most, running);
    }

    public final class Place implements Machine {
        public final List<RunState> entered = new CopyOnWriteArrayList<>();
        private final List<RamBlock> blocks;
        private volatile RunState state;
        private volatile DirtyLog log;
        private volatile String refusal;
        private volatile boolean late;
        private volatile Runnable before = () -> {};

        Place(RunState state) {
            byte[] ram = new byte[PAGES * PAGE];
            if (state == RunState.RUNNING) Arrays.fill(ram, (byte) 7);
            blocks = List.of(RamBlock.of("ram", MemorySegment.ofArray(ram), PAGE));
            this.state = state;
            if (state == RunState.RUNNING) count(1);
        }

        /** Dirties a page in every round: with no downtime allowed they never end. */
        public void restless() {
            log =
                    new DirtyLog() {
                        @Override
                        public void start() {}

                        @Override
                        public void stop() {}

                        @Override
                        public void harvest(RamBlock block, PageBitmap into) {
                            into.fill(0, 1, true);
                        }
                    };
        }

        /** It can't be loaded: its device, or when all is there. */
        public void refuses(String why, boolean inTheEnd) {
            refusal = why;
            late = inTheEnd;
        }

        /** What happens before it enters a state. */
        public void beforeItEnters(Runnable deed) {
            before = deed;
        }

        @Override
        public String type() {
            return "one-guest";
        }

        @Override
        public RunState runState() {
            return state;
        }

        @Override
        public void enter(RunState next) throws MigrationException {
            before.run();
            if (refusal != null && late) throw MigrationException.host("%s", refusal);
            if (state == RunState.RUNNING) count(-1);
            entered.add(next);
            state = next;
            if (state == RunState.RUNNING) count(1);
        }

        @Override
        public RamProvider ram() {
            return log == null ? () -> blocks : RamProvider.of(blocks, log);
        }

        @Override
        public List<DeviceState> devices() {
            return List.of(
                    new DeviceState() {
                        @Override
                        public String id() {
                            return "glass";
                        }

                        @Override
                        public void save(DataOutput out) throws IOException {
                            out.writeInt(1);
                        }

                        @Override
                        public void load(DataInput in, int version) throws IOException {
                            in.readInt();
                            if (refusal != null && !late) throw new IOException(refusal);
                        }
                    });
        }
    }
}
