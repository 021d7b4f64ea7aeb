package org.vmferry.it.leak;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** How much more this very process gets of something, from now on. */
enum Limits {
    /**
     * Each takes the lowest number that is free. None that is taken comes to lie over the limit: a
     * socket there would not let go who reads from it, since no number there can be changed.
     */
    DESCRIPTORS(7) {
        @Override
        long allowing(int more, List<Closeable> instead) throws IOException {
            List<Path> all;
            try (var files = Files.list(Path.of("/proc/self/fd"))) {
                all = files.toList();
            }
            int[] taken =
                    all.stream()
                            .filter(Files::exists) // to list them took one, too
                            .mapToInt(file -> Integer.parseInt(file.getFileName().toString()))
                            .sorted()
                            .toArray();
            int limit = taken[taken.length - 1] + 1;
            int free = limit - taken.length;
            for (; free > more; free--) instead.add(new FileInputStream("/dev/null"));
            return limit + more - free;
        }
    },

    /** By the address space that their stacks take. */
    THREADS(9) {
        @Override
        long allowing(int more, List<Closeable> instead) throws IOException {
            String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[0];
            return Long.parseLong(pages) * 4096 + more * STACK + STACK / 2;
        }

        @Override
        void settle() throws IOException, InterruptedException {
            int calm = 0;
            for (int i = 0; calm < CALM && i < MOST; i++) {
                Thread last = new Thread(() -> {});
                last.start();
                last.join();
                LockSupport.parkNanos(10_000_000); // nothing tells when the system has ended it
                int now = tasks();
                calm = now == fewest ? calm + 1 : 0;
                fewest = Math.min(fewest, now);
            }
        }

        private static int tasks() throws IOException {
            try (var tasks = Files.list(Path.of("/proc/self/task"))) {
                return (int) tasks.count();
            }
        }
    };

    /** Bytes of each thread's stack: more than all else takes meanwhile. */
    static final long STACK = 256 << 20;

    private static final int CALM = 5; // times in a row
    private static final int MOST = 500; // times in all: a limit is wrong then, nobody hangs

    private static int fewest = Integer.MAX_VALUE; // threads of the system's that were ever counted

    private static final MethodHandle GET = call("getrlimit");
    private static final MethodHandle SET = call("setrlimit");

    private final int resource; // the system's number

    Limits(int resource) {
        this.resource = resource;
    }

    /** What the limit has to be; who takes what is free already goes into the list. */
    abstract long allowing(int more, List<Closeable> instead) throws IOException;

    /**
     * Waits until what ended has given all back. A thread's stack is still there when Java sees it
     * no more: until the system has ended it, and until the next one ends; that one finds it, too.
     */
    void settle() throws IOException, InterruptedException {}

    /** Lets it have so many more; closed, as many as before. */
    Held hold(int more) throws Throwable {
        List<Closeable> instead = new ArrayList<>();
        long limit = allowing(more, instead);
        return new Held(this, set(limit), instead);
    }

    /** A limit that holds until this is closed. */
    record Held(Limits what, long before, List<Closeable> instead) implements AutoCloseable {
        @Override
        public void close() {
            try {
                what.set(before);
                for (Closeable each : instead) each.close();
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** The one that can be raised again; returns what it was. */
    private long set(long limit) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment both =
                    arena.allocate(MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_LONG));
            int failed = (int) GET.invokeExact(resource, both);
            long before = both.get(ValueLayout.JAVA_LONG, 0);
            both.set(ValueLayout.JAVA_LONG, 0, limit);
            failed |= (int) SET.invokeExact(resource, both);
            if (failed != 0) throw new IOException("no limit of " + limit + " for " + this);
            return before;
        }
    }

    @SuppressWarnings("restricted") // its process may: --enable-native-access
    private static MethodHandle call(String name) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(
                linker.defaultLookup().find(name).orElseThrow(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    }
}
