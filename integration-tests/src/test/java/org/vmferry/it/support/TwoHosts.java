package org.vmferry.it.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Two hosts and a cable between them: network namespaces of this system, which nobody else sees.
 * Needs root, and ip.
 */
public final class TwoHosts implements AutoCloseable {
    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final Pattern NAME = Pattern.compile("vmferry-(\\d+)-\\S+");
    private static final Pattern BUSY =
            Pattern.compile("192\\.0\\.2\\.1]?:(\\d+) .*\\bbytes_received:(\\d+)");
    private static final String DEVICE = "eth0";
    private static final String NOBODY = "02:00:00:00:00:99";

    private final String source = name("source");
    private final String destination = name("destination");
    private boolean moved;
    private boolean blackhole;
    private final Thread atTheEnd = new Thread(this::remove);

    /** Puts them there. */
    public TwoHosts() throws IOException, InterruptedException {
        removeThoseOfTheDead();
        Runtime.getRuntime().addShutdownHook(atTheEnd);
        String refused = Mounted.run("ip", "netns", "add", source);
        assumeTrue(refused == null, () -> "this test makes network namespaces: " + refused);
        try {
            ip("netns", "add", destination);
            ip(
                    "link add eth0 netns %s type veth peer name eth0 netns %s"
                            .formatted(source, destination)
                            .split(" "));
            for (String host : List.of(source, destination)) {
                ip("-n", host, "address", "add", address(host) + "/24", "dev", DEVICE);
                ip("-n", host, "link", "set", "lo", "up");
            }
            connect();
        } catch (AssertionError | IOException | InterruptedException e) {
            close();
            throw e;
        }
    }

    private static String name(String side) {
        return "vmferry-%d-%d-%s"
                .formatted(ProcessHandle.current().pid(), NUMBERS.incrementAndGet(), side);
    }

    private static void ip(String... words) throws IOException, InterruptedException {
        String[] command = new String[words.length + 1];
        command[0] = "ip";
        System.arraycopy(words, 0, command, 1, words.length);
        assertThat(Mounted.run(command)).as(String.join(" ", command)).isNull();
    }

    private String address(String host) {
        return host.equals(source) ? "192.0.2.1" : "192.0.2.2";
    }

    /** The command that runs another at the source. */
    public List<String> atSource() {
        return List.of("ip", "netns", "exec", source);
    }

    /** The command that runs another at the destination. */
    public List<String> atDestination() {
        return List.of("ip", "netns", "exec", destination);
    }

    /** Does something on a thread of this process whose new sockets are the destination's. */
    public <T> T atDestination(Callable<T> work) throws Exception {
        FutureTask<T> task =
                new FutureTask<>(
                        () -> {
                            enter(Path.of("/run/netns", destination));
                            return work.call();
                        });
        Thread.ofPlatform().start(task); // and ends there: no other work gets that thread
        return task.get();
    }

    private static void enter(Path host) throws IOException {
        MethodHandle open = call("open", ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
        MethodHandle enter = call("setns", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
        MethodHandle close = call("close", ValueLayout.JAVA_INT);
        try (Arena arena = Arena.ofConfined()) {
            int file = (int) open.invokeExact(arena.allocateFrom(host.toString()), 0);
            assertThat(file).as("open %s", host).isNotNegative();
            int entered = (int) enter.invokeExact(file, 0x40000000); // CLONE_NEWNET
            int closed = (int) close.invokeExact(file);
            assertThat(entered + closed).as("enter %s", host).isZero();
        } catch (Throwable e) {
            throw new IOException(e);
        }
    }

    @SuppressWarnings("restricted") // its process may: --enable-native-access
    private static MethodHandle call(String name, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find(name).orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments));
    }

    /** The destination's address. */
    public String destination() {
        return address(destination);
    }

    /** The destination's power goes: both see that the cable leads nowhere. */
    public void unplug() throws IOException, InterruptedException {
        ip("-n", destination, "link", "set", DEVICE, "down");
    }

    /** All that is sent gets lost on the way, in both directions: nobody sees anything. */
    public void swallow() throws IOException, InterruptedException {
        for (String host : List.of(source, destination)) {
            ip(
                    "-n",
                    host,
                    "neigh",
                    "replace",
                    address(other(host)),
                    "lladdr",
                    NOBODY,
                    "dev",
                    DEVICE,
                    "nud",
                    "permanent");
        }
    }

    private String other(String host) {
        return host.equals(source) ? destination : source;
    }

    /** The one connection that has brought the most bytes so far is lost, and no other. */
    public void swallowTheBusiest() throws IOException, InterruptedException {
        // Of a migration before, ends may linger that the cable has swallowed: they aren't
        // established any more.
        String command = "ip netns exec %s ss -tinHO state established".formatted(destination);
        Process asked = new ProcessBuilder(command.split(" ")).start();
        String port = "";
        long most = -1;
        for (String line : asked.inputReader().readAllLines()) {
            Matcher found = BUSY.matcher(line);
            if (!found.find() || Long.parseLong(found.group(2)) <= most) continue;
            port = found.group(1);
            most = Long.parseLong(found.group(2));
        }
        assertThat(asked.waitFor()).isZero();
        // The rule must come before the one that all packets for this host meet.
        if (!moved) {
            ip("-n", destination, "rule", "add", "pref", "100", "lookup", "local");
            ip("-n", destination, "rule", "del", "pref", "0");
            moved = true;
        }
        ip(
                "-n %s rule add pref 10 ipproto tcp sport %s blackhole"
                        .formatted(destination, port)
                        .split(" "));
        blackhole = true;
    }

    /** All is as it should be. */
    public void connect() throws IOException, InterruptedException {
        if (blackhole) ip("-n", destination, "rule", "del", "pref", "10");
        blackhole = false;
        for (String host : List.of(source, destination)) {
            ip("-n", host, "link", "set", DEVICE, "up");
            ip("-n", host, "neigh", "flush", "dev", DEVICE, "nud", "all");
        }
    }

    private static void removeThoseOfTheDead() throws IOException {
        Path all = Path.of("/run/netns");
        if (!Files.isDirectory(all)) return;
        try (var names = Files.newDirectoryStream(all)) {
            for (Path one : names) {
                Matcher ours = NAME.matcher(one.getFileName().toString());
                if (ours.matches() && ProcessHandle.of(Long.parseLong(ours.group(1))).isEmpty()) {
                    delete(ours.group());
                }
            }
        }
    }

    private static void delete(String host) {
        try {
            Mounted.run("ip", "netns", "delete", host);
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void remove() {
        delete(source);
        delete(destination);
    }

    /** Takes them away; who runs there is to have ended. */
    @Override
    public void close() {
        remove();
        Runtime.getRuntime().removeShutdownHook(atTheEnd);
    }
}
