package org.vmferry.it.leak;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.it.support.FullMachine;
import org.vmferry.it.support.Leftovers;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.jar.JarFile;

/**
 * A process that migrates to itself while it gets so many more of something and no further one: one
 * after another each thing that a migration begins is the one that can't be had. It says what came
 * of each, and "WRONG" of what should not have been.
 */
final class Short {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final int BYTES = 1 << 20; // of RAM

    private final Engine engine = Engine.create();
    private final Limits what;
    private final Path folder;
    private final Path certificates;
    private final Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
    private final List<Path> files = new ArrayList<>(); // that may be there
    private long descriptors;
    private volatile RunState moment; // from which on nothing more is to be had, or null
    private volatile Limits.Held held;

    private Short(Limits what, Path folder, Path certificates) {
        this.what = what;
        this.folder = folder;
        this.certificates = certificates;
    }

    /** A migration, or two ends of one; what it failed with, or null. */
    private interface Trial {
        String run() throws Exception;
    }

    /** Arguments: what is to be short, a folder, one with certificates. */
    public static void main(String[] words) throws Throwable {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, why) -> {
                    wrong("%s died: %s", thread.getName(), why);
                    if (thread.getName().equals("main")) why.printStackTrace();
                });
        load();
        new Short(Limits.valueOf(words[0]), Path.of(words[1]), Path.of(words[2])).run();
        System.out.println("done");
    }

    /** Every class of ours: to load one later may take a descriptor. */
    private static void load() throws IOException {
        for (String place : System.getProperty("java.class.path").split(File.pathSeparator)) {
            for (String name : names(Path.of(place))) {
                try {
                    Class.forName(name);
                } catch (ClassNotFoundException | LinkageError e) {
                    // It is not needed then.
                }
            }
        }
    }

    private static List<String> names(Path place) throws IOException {
        List<String> files = new ArrayList<>();
        if (Files.isDirectory(place)) {
            try (var all = Files.walk(place)) {
                all.forEach(file -> files.add(place.relativize(file).toString()));
            }
        } else if (place.toString().endsWith(".jar")) {
            try (JarFile jar = new JarFile(place.toFile())) {
                jar.stream().forEach(entry -> files.add(entry.getName()));
            }
        }
        return files.stream()
                .filter(name -> name.matches("(org/vmferry/(?!it/)|com/github/luben/).*\\.class"))
                .map(name -> name.substring(0, name.length() - 6).replace('/', '.'))
                .toList();
    }

    private void run() throws Throwable {
        if (save("file:" + folder.resolve("made"), PLACED) instanceof String why)
            throw new IllegalStateException(why);
        List<Trial> trials = List.of(this::ferry, this::saved, this::loaded);
        for (Trial trial : trials) { // whatever is begun once is
            for (int i = 0; i < 2; i++)
                if (trial.run() instanceof String why) throw new IllegalStateException(why);
        }
        descriptors = Leftovers.descriptors();
        files.addAll(files(folder));
        files.addAll(files(temporary));
        for (RunState each : List.of(RunState.FINISH_MIGRATE, RunState.RUNNING)) {
            moment = each;
            String came = ferry();
            held.close();
            held = null;
            System.out.printf("%s none from %s on: %s%n", what, moment, came);
            checkNothingIsLeft();
        }
        moment = null;
        for (int number = 0; number < trials.size(); number++) {
            Trial trial = trials.get(number);
            for (int more = 0; ; more++) {
                String came;
                what.settle();
                try (var _ = what.hold(more)) {
                    came = trial.run();
                }
                System.out.printf("%s of trial %d, %d: %s%n", what, number, more, came);
                checkNothingIsLeft();
                if (came == null) break;
            }
        }
    }

    private void checkNothingIsLeft() throws Exception {
        try {
            Leftovers.assertNoThreads();
        } catch (AssertionError e) {
            wrong(e.getMessage());
        }
        long open = Leftovers.descriptors();
        if (open != descriptors) wrong("%d descriptors, before %d", open, descriptors);

        descriptors = open;
        for (Path place : List.of(folder, temporary)) {
            for (Path file : files(place))
                if (!files.contains(file)) wrong("%s stays behind", file);
        }
    }

    private static List<Path> files(Path place) throws IOException {
        try (var all = Files.list(place)) {
            return all.toList();
        }
    }

    private static void wrong(String format, Object... arguments) {
        System.out.printf("WRONG: " + format.replace("\n", " ") + "%n", arguments);
    }

    private Settings settings(boolean source) {
        Settings settings =
                Settings.NONE
                        .capability("return-path")
                        .capability("multifd")
                        .parameter("multifd-compression", "zstd")
                        .parameter("tls-creds", certificates.toString())
                        .parameter("max-bandwidth", "0")
                        .parameter("connect-timeout", "5000")
                        .parameter("silence-timeout", "5000");
        return source ? settings.parameter("tls-hostname", TestCertificates.HOST) : settings;
    }

    /** A machine with which a limit begins to hold when it enters a state. */
    private Machine limiting(FullMachine machine) {
        return new ForwardingMachine(machine) {
            @Override
            public void enter(RunState state) throws MigrationException {
                super.enter(state);
                if (state != moment || held != null) return;
                try {
                    held = what.hold(0);
                } catch (Throwable e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    /** From one machine to another. */
    private String ferry() throws Exception {
        FullMachine from = new FullMachine(ram(), RunState.RUNNING).compared();
        FullMachine to = new FullMachine(ram(), RunState.INMIGRATE);
        Migration load;
        Migration save;
        try {
            load = engine.receive(limiting(to), "tcp:127.0.0.1:0", settings(false));
        } catch (IOException | Error e) {
            return told(e);
        }
        try {
            save = engine.send(limiting(from), load.address().toString(), settings(true));
        } catch (IOException | Error e) {
            load.cancel();
            over(load);
            return told(e);
        }
        over(save);
        if (save.state() != MigrationState.COMPLETED) load.cancel(); // it may wait for another
        over(load);
        if (from.runState() == RunState.RUNNING && to.runState() == RunState.RUNNING)
            wrong("it runs twice");
        if (load.state() == MigrationState.COMPLETED && to.runState() != RunState.RUNNING)
            wrong("it was said to run at the destination");
        if (save.owner() == GuestOwner.SOURCE && from.runState() != RunState.RUNNING)
            wrong("it was said to run at the source");
        if (save.owner() == GuestOwner.UNKNOWN) wrong("nobody knows where it runs");
        String why = why(save);
        return why == null ? why(load) : why;
    }

    private static final Settings PLACED =
            Settings.NONE.capability("mapped-ram").capability("multifd");

    /** Into a file. */
    private String saved() throws Exception {
        Path file = folder.resolve("file");
        try {
            String why = save("file:" + file, PLACED);
            if (why != null && Files.exists(file)) wrong("it failed, and the file is there");
            return why;
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Out of a file. */
    private String loaded() throws Exception {
        return load("file:" + folder.resolve("made"), PLACED);
    }

    private String save(String uri, Settings settings) throws Exception {
        FullMachine from = new FullMachine(ram(), RunState.RUNNING).live();
        Migration save;
        try {
            save = engine.send(from, uri, settings);
        } catch (IOException | Error e) {
            return told(e);
        }
        over(save);
        String why = why(save);
        if (why != null && from.runState() != RunState.RUNNING) wrong("it does not run on");
        return why;
    }

    private String load(String uri, Settings settings) throws Exception {
        FullMachine to = new FullMachine(ram(), RunState.INMIGRATE);
        Migration load;
        try {
            load = engine.receive(to, uri, settings);
        } catch (IOException | Error e) {
            return told(e);
        }
        over(load);
        return why(load);
    }

    /** On the heap: no part of what is counted. */
    private static MemorySegment ram() {
        byte[] bytes = new byte[BYTES];
        new Random(1).nextBytes(bytes);
        return MemorySegment.ofArray(bytes);
    }

    private static void over(Migration migration) throws InterruptedException {
        if (migration.await(LONG)) return;
        wrong("%s hangs in %s", migration.name(), migration.state());
        Thread.getAllStackTraces()
                .forEach((one, stack) -> System.out.println(one + " " + Arrays.toString(stack)));
        migration.yank();
    }

    private static String why(Migration migration) {
        return migration.failure().map(Short::told).orElse(null);
    }

    private static String told(Throwable why) {
        MigrationException typed = MigrationException.of(why);
        if (typed.blame() == Blame.PLUGIN) wrong("a plug-in is blamed: %s", typed);
        return typed.blame() + " " + typed.getMessage();
    }
}
