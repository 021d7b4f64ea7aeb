package example.chicory;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A guest counts in three processes: it is saved in the first, goes on from the file in a second,
 * and moves, running, to a third. There it counts as far again, and ends like a twin that stayed.
 */
public final class Main {
    private static final long TURN = 300_000; // what it counts in the first, and in the second
    private static final Settings SNAPSHOT = Settings.NONE.capability("mapped-ram");
    private static final Settings LIVE = Settings.NONE.capability("return-path");
    private static final Engine ENGINE = Engine.create();

    /** All of it, or the part of one process: where the guest comes from, and where it goes. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 2) System.out.println(pass(arguments[0], arguments[1]));
        else all(Files.createTempDirectory("counting-"));
    }

    private static void all(Path folder) throws Exception {
        Path saved = folder.resolve("saved");
        Path moved = folder.resolve("moved");
        Path stayed = folder.resolve("stayed");
        System.out.println("saved at " + pass("", "file:" + saved));
        Process third = start("tcp:127.0.0.1:0", "file:" + moved);
        Process second = start("file:" + saved, third.inputReader().readLine());
        try (var twin = new ChicoryMachine()) {
            second.inputReader().readLine();
            long half = Long.parseLong(second.inputReader().readLine());
            long end = Long.parseLong(third.inputReader().readLine());
            System.out.println("moved at " + half + ", ended at " + end);
            twin.endAt(end);
            run(twin, Long.MAX_VALUE);
            send(twin, "file:" + stayed);
            if (Files.mismatch(moved, stayed) >= 0)
                throw new IllegalStateException("it is not what its twin is: see " + folder);
            System.out.println("it is what its twin is");
        } finally {
            second.destroy();
            third.destroy();
        }
        for (Path file : List.of(saved, moved, stayed, folder)) Files.delete(file);
    }

    /** Takes the guest over, lets it count and hands it on; gives how far it had come then. */
    private static long pass(String from, String to) throws Exception {
        try (var guest = new ChicoryMachine()) {
            if (!from.isEmpty()) {
                Migration arrival = ENGINE.receive(guest, from, settings(from));
                System.out.println(arrival.address());
                arrival.await(); // it runs now, as it did where it comes from
            }
            boolean last = from.startsWith("tcp:");
            if (last) {
                guest.enter(RunState.PAUSED);
                guest.endAt(2 * guest.count());
            }
            run(guest, last ? Long.MAX_VALUE : guest.count() + TURN);
            send(guest, to);
            return guest.count();
        }
    }

    /** Until it has counted so far, or has ended. */
    private static void run(ChicoryMachine guest, long count) throws Exception {
        guest.enter(RunState.RUNNING);
        while (guest.runState() == RunState.RUNNING && guest.count() < count) Thread.sleep(1);
    }

    private static void send(ChicoryMachine guest, String to) throws Exception {
        ENGINE.send(guest, to, settings(to)).await();
    }

    private static Settings settings(String uri) {
        return uri.startsWith("file:") ? SNAPSHOT : LIVE;
    }

    private static Process start(String from, String to) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classes = System.getProperty("java.class.path");
        String access = "--enable-native-access=ALL-UNNAMED";
        return new ProcessBuilder(java, access, "-cp", classes, Main.class.getName(), from, to)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }
}
