package org.vmferry.cli.bench;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * One side of vmferry's migrations, in a process of its own: internal to {@code vmferry bench}.
 * Each line that it reads says what to do, and is answered by a line:
 *
 * <ul>
 *   <li>{@code make} and a {@link GuestRam}: makes a machine; "made",
 *   <li>{@code watch}: from now on keeps an eye on its heap and its memory; bytes that were made of
 *       the machine's RAM by then,
 *   <li>{@code send RUNNING OPTION,OPTION... URI}: for how many ns the call lasted,
 *   <li>{@code receive OPTION,OPTION... URI}: first where it listens, unless it is a file that is
 *       loaded; then as above,
 *   <li>{@code seen}: bytes of heap used at the most, by which the process has grown, and by which
 *       the machine's RAM has, since it watches,
 *   <li>{@code sum PERCENT}: of what is used of a {@link SparseRam}, or of all of it if 0,
 *   <li>{@code drop}: the machine goes; "dropped".
 * </ul>
 *
 * <p>It ends with its input, so with the process that started it. Words and not JSON: what parses
 * that would be loaded by the time the first migration is measured.
 */
public final class Side {
    private Engine engine;
    private BenchMachine machine;
    private HeapPeak heap;
    private long resident;
    private long made;

    private Side() {}

    /**
     * The process.
     *
     * @param arguments none
     * @throws Exception whatever goes wrong
     */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        Side side = new Side();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ", 2);
            System.out.println(side.done(words[0], words.length < 2 ? "" : words[1]));
        }
        System.exit(0);
    }

    private String done(String what, String rest) throws IOException, InterruptedException {
        switch (what) {
            case "make" -> {
                machine = GuestRam.parse(rest).make();
                return "made";
            }
            case "watch" -> {
                System.gc(); // what was garbage before is not used by what comes
                heap = HeapPeak.begin();
                resident = resident();
                made = Proc.residentBytes(machine.memory());
                return "" + made;
            }
            case "send" -> {
                String[] words = rest.split(" ", 3);
                return "" + sent(Boolean.parseBoolean(words[0]), settings(words[1]), words[2]);
            }
            case "receive" -> {
                String[] words = rest.split(" ", 2);
                return "" + received(settings(words[0]), words[1]);
            }
            case "seen" -> {
                long most = heap.bytes();
                return most
                        + " "
                        + (resident() - resident)
                        + " "
                        + (Proc.residentBytes(machine.memory()) - made);
            }
            case "sum" -> {
                int percent = Integer.parseInt(rest);
                var memory = machine.memory();
                return ""
                        + (percent == 0
                                ? machine.checksum()
                                : new SparseRam(memory.byteSize(), percent).checksum(memory));
            }
            case "drop" -> {
                machine.close();
                return "dropped";
            }
            default -> throw new IOException("a bench's process is to do '" + what + "'");
        }
    }

    private static long resident() throws IOException {
        return Proc.residentBytes(ProcessHandle.current().pid());
    }

    private long sent(boolean running, Settings settings, String uri)
            throws IOException, InterruptedException {
        if (running) machine.enter(RunState.RUNNING);
        long begin = System.nanoTime();
        engine().send(machine, uri, settings).await();
        return System.nanoTime() - begin;
    }

    private long received(Settings settings, String uri) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        Migration migration = engine().receive(machine, uri, settings);
        if (!uri.startsWith("file:")) System.out.println(migration.address());
        migration.await();
        return System.nanoTime() - begin;
    }

    private Engine engine() {
        if (engine == null) engine = Engine.create();
        return engine;
    }

    private static Settings settings(String words) {
        return settings(List.of(words.split(",")));
    }

    /** Capabilities, and parameters as name=value. */
    static Settings settings(List<String> words) {
        Settings settings = Settings.NONE;
        for (String word : words) {
            String[] option = word.split("=", 2);
            settings =
                    option.length == 1
                            ? settings.capability(option[0])
                            : settings.parameter(option[0], option[1]);
        }
        return settings;
    }
}
