package org.vmferry.it.leak;

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
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** How much more this very process gets of something, from now on. */
enum Limits {
    /** Each takes the lowest number that is free. */
    DESCRIPTORS(7) {
        @Override
        long allowing(int more) throws IOException {
            List<Path> all;
            try (var files = Files.list(Path.of("/proc/self/fd"))) {
                all = files.toList();
            }
            Set<Integer> taken =
                    all.stream()
                            .filter(Files::exists) // to list them took one, too
                            .map(file -> Integer.parseInt(file.getFileName().toString()))
                            .collect(Collectors.toSet());
            int limit = 0;
            for (int free = 0; free < more || taken.contains(limit); limit++)
                if (!taken.contains(limit)) free++;
            return limit;
        }
    },

    /** By the address space that their stacks take. */
    THREADS(9) {
        @Override
        long allowing(int more) throws IOException {
            String pages = Files.readString(Path.of("/proc/self/statm")).split(" ")[0];
            return Long.parseLong(pages) * 4096 + more * STACK + STACK / 2;
        }
    };

    /** Bytes of each thread's stack: more than all else takes meanwhile. */
    static final long STACK = 256 << 20;

    private static final MethodHandle GET = call("getrlimit");
    private static final MethodHandle SET = call("setrlimit");

    private final int resource; // the system's number

    Limits(int resource) {
        this.resource = resource;
    }

    /** What the limit has to be. */
    abstract long allowing(int more) throws IOException;

    /** Lets it have so many more; closed, as many as before. */
    Held hold(int more) throws Throwable {
        long limit = allowing(more);
        return new Held(this, set(limit));
    }

    /** A limit that holds until this is closed. */
    record Held(Limits what, long before) implements AutoCloseable {
        @Override
        public void close() {
            try {
                what.set(before);
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
