package org.vmferry.it.ownership;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.MigrationListener;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.BufferedReader;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;

/**
 * A host that is told what to do, a line each, and says what happens. It plays one migration after
 * another, with a new guest each time; its guest stops at a gate where it is told to.
 */
public final class SiteProgram {
    private static final long MOMENT_NS = 30_000_000; // a guest executes thousands in it
    private static final long SOON_NS = 3_000_000_000L;
    private static final long LONG_NS = 20_000_000_000L;

    private final Engine engine = Engine.create();
    private ReferenceMachine guest;
    private Migration migration;
    private Thread telling; // how it ended
    private ServerSocket mute;
    private volatile String gate = "";
    private boolean refuses; // told before it receives: its machine can't begin
    private final Semaphore open = new Semaphore(0);

    private SiteProgram() {}

    /** The process; it ends with its input. */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        System.setProperty("org.slf4j.simpleLogger.logFile", "System.out");
        System.setProperty("org.slf4j.simpleLogger.showThreadName", "false");
        System.setProperty("org.slf4j.simpleLogger.showLogName", "false");
        SiteProgram site = new SiteProgram();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            site.obey(List.of(line.split(" ")));
        }
        System.exit(0); // whatever hangs
    }

    private void obey(List<String> words) throws Exception {
        List<String> more = words.subList(1, words.size());
        switch (words.getFirst()) {
            case "receive" -> {
                make(more.get(1));
                migration = engine.receive(new Gated(), more.get(0), settings(more));
                say("address " + migration.address());
                follow();
            }
            case "send" -> {
                make(more.get(1));
                guest.runFor(1_000_000);
                guest.enter(RunState.RUNNING);
                migration = engine.send(new Gated(), more.get(0), settings(more));
                follow();
            }
            case "mute" -> {
                mute = new ServerSocket(0);
                say("address tcp:" + more.get(0) + ":" + mute.getLocalPort());
                mute.accept();
                say("accepted -");
            }
            case "open" -> open();
            case "refuse" -> refuses = true;
            case "proceed" -> migration.proceed();
            case "cancel" -> migration.cancel();
            case "ready" -> {
                end();
                say("ready -");
            }
            case "guest" -> say("guest " + (guest != null && executes() ? "runs" : "stands"));
            case "threads" -> say("threads " + threads());
            case "downtime" -> say("downtime " + migration.statistics().downtime());
            default -> throw new IllegalArgumentException(words.toString());
        }
    }

    /** Those of migrations; who is on its way out is waited for. */
    private static List<String> threads() {
        List<String> names = List.of();
        for (long until = System.nanoTime() + SOON_NS; System.nanoTime() < until; ) {
            names =
                    Thread.getAllStackTraces().keySet().stream()
                            .map(Thread::getName)
                            .filter(name -> name.matches("(send|receive)-\\d+.*"))
                            .toList();
            if (names.isEmpty()) break;
            LockSupport.parkNanos(1_000_000);
        }
        return names;
    }

    private void open() {
        gate = "";
        open.release();
    }

    /** Whatever is left of the migration before. */
    private void end() throws Exception {
        open();
        if (migration != null) {
            migration.yank();
            while (!migration.await(Duration.ofSeconds(1))) {}
            telling.join(); // what it says is of this migration, not of the next
        }
        if (guest != null) guest.close();
        if (mute != null) mute.close();
        refuses = false;
        migration = null;
        guest = null;
        mute = null;
    }

    /** A new guest, which stops at this gate; none is called "-". */
    private void make(String where) {
        open.drainPermits();
        gate = where;
        guest = ReferenceMachine.builder().ram(8 << 20).dirtyWindow(1000).dirtyEvery(300).build();
    }

    private static Settings settings(List<String> words) {
        Settings settings = Settings.NONE;
        for (String word : words.subList(2, words.size())) {
            String[] pair = word.split("=");
            settings =
                    pair.length == 1
                            ? settings.capability(word)
                            : settings.parameter(pair[0], pair[1]);
        }
        return settings;
    }

    private void follow() {
        Migration followed = migration;
        followed.listen(
                new MigrationListener() {
                    @Override
                    public void entered(MigrationState state) {
                        say("state " + state.wireName());
                    }

                    @Override
                    public void corrected(GuestOwner owner) {
                        say("corrected " + owner + " " + followed.failure().orElseThrow());
                    }
                });
        telling = Thread.ofPlatform().daemon().start(() -> tellTheEnd(followed));
    }

    private static void tellTheEnd(Migration over) {
        String why = "";
        try {
            over.await();
        } catch (MigrationException e) {
            why = e.getMessage();
        } catch (InterruptedException e) {
            throw new AssertionError(e); // nobody does that
        }
        say("over " + over.state().wireName() + " " + over.owner() + " " + why);
    }

    /** Whether the guest counts on; who is said to run is waited for. */
    private boolean executes() {
        long before = guest.instructions();
        long until =
                System.nanoTime() + (guest.runState() == RunState.RUNNING ? LONG_NS : MOMENT_NS);
        while (System.nanoTime() < until && guest.instructions() == before) {
            LockSupport.parkNanos(1_000_000);
        }
        return guest.instructions() > before;
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private void pass(String where) {
        if (!gate.equals(where)) return;
        say("at " + where);
        open.acquireUninterruptibly();
    }

    /** The guest, with its gates. */
    private final class Gated extends ForwardingMachine {
        Gated() {
            super(guest);
        }

        @Override
        public void enter(RunState state) throws MigrationException {
            if (refuses) {
                pass("begun");
                throw MigrationException.host("no processor is free");
            }
            super.enter(state);
            if (state == RunState.RUNNING) pass("begun"); // where the destination begins
        }

        @Override
        public List<DeviceState> devices() {
            List<DeviceState> all = new ArrayList<>(super.devices());
            all.add(new GatedDevice());
            return all;
        }
    }

    /** Nothing in it but gates. */
    private final class GatedDevice implements DeviceState {
        @Override
        public String id() {
            return "gate";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            pass("paused");
            out.writeInt(7);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            in.readInt();
            pass("loading");
        }
    }
}
