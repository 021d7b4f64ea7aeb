package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.vmferry.engine.guard.Guard;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Joined;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.AtomicDirtyLog;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * A migration of a machine of a few pages within this process. It is of no use but that a JVM has
 * loaded, and run once, what the next one needs while its guest stands still.
 */
final class Rehearsal {
    private static final Logger LOG = Log.of(Rehearsal.class);
    private static final int PAGE = 4096;
    private static final int PAGES = 16;

    private Rehearsal() {}

    /** What is loaded is so for the whole JVM, and stays so: a class's initialisation is, too. */
    private static final class Once {
        static final boolean HELD = held();
    }

    /** Holds it, unless that was done in this JVM before; returns when it is over. */
    static void hold() {
        if (!Once.HELD) LOG.debug("the rehearsal failed: the first switch-over may take longer");
    }

    private static boolean held() {
        try (Arena arena = Arena.ofShared()) {
            migrate(arena);
            // What a reader says whose channel is closed, as all are at the end.
            MigrationException.of(new IOException("closed"));
            return true;
        } catch (IOException | RuntimeException | OutOfMemoryError e) {
            LOG.debug("the rehearsal failed", e);
            return false;
        }
    }

    private static void migrate(Arena arena) throws IOException {
        PipeEnd[] ends = PipeEnd.two();
        try (PipeEnd from = ends[0];
                PipeEnd to = ends[1]) {
            migrate(from, to, arena);
        }
    }

    private static void migrate(PipeEnd from, PipeEnd to, Arena arena) throws IOException {
        Options options = Options.DEFAULTS.with(EngineOptions.RETURN_PATH, true);
        Actor source = new Actor(arena, RunState.RUNNING);
        for (int page = 0; page < PAGES; page += 2)
            source.memory.set(ValueLayout.JAVA_LONG, (long) page * PAGE, page + 1);
        Actor target = new Actor(arena, RunState.INMIGRATE);
        MigrationSession receiving =
                MigrationSession.ofRehearsal(LifeCycle.Role.RECEIVES, "rehearsal-receive", options);
        Load load =
                new ChannelLoad(
                        receiving,
                        Guard.over(target),
                        route(to),
                        to,
                        to.transport().features(),
                        () -> {});
        Thread receiver = new Thread(() -> run(load, receiving), receiving.name());
        receiver.setDaemon(true);
        receiver.start();
        MigrationSession sending =
                MigrationSession.ofRehearsal(LifeCycle.Role.SENDS, "rehearsal-send", options);
        try {
            run(Save.of(sending, Guard.over(source), route(from)), sending);
        } finally {
            Joined.all(List.of(receiver));
        }
        sending.check();
        receiving.check();
    }

    private static Route route(PipeEnd end) {
        return new Route(
                PipeEnd.ADDRESS, end.transport(), Optional.empty(), Optional.empty(), List.of());
    }

    /** What it throws the session knows, and the other end soon hears of. */
    private static void run(MigrationSide work, MigrationSession session) {
        try {
            work.run(session.life()::enter);
        } catch (IOException | RuntimeException e) {
            session.fail(e);
        }
    }

    /** The machine on either side. */
    private static final class Actor implements Machine, DeviceState {
        final MemorySegment memory;
        private final RamBlock block;
        private final AtomicDirtyLog log;
        private RunState state;
        private long register;

        Actor(Arena arena, RunState state) {
            memory = arena.allocate((long) PAGES * PAGE, PAGE);
            block = RamBlock.of("rehearsal.ram", memory, PAGE);
            log = new AtomicDirtyLog(List.of(block));
            this.state = state;
        }

        @Override
        public String type() {
            return "rehearsal";
        }

        @Override
        public RunState runState() {
            return state;
        }

        @Override
        public void enter(RunState next) {
            // It wrote until it was paused: something is left for the last round.
            if (next == RunState.FINISH_MIGRATE) log.mark(block, 0);
            state = next;
        }

        @Override
        public RamProvider ram() {
            return RamProvider.of(List.of(block), log);
        }

        @Override
        public List<DeviceState> devices() {
            return List.of(this);
        }

        @Override
        public String id() {
            return "rehearsal-device";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeLong(register);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            register = in.readLong();
        }
    }
}
