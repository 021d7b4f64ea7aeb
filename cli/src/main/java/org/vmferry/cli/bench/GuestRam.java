package org.vmferry.cli.bench;

import java.io.IOException;
import java.nio.file.Path;

/**
 * What RAM a {@link Side}'s machine is to have.
 *
 * @param size in bytes
 * @param kind where it is, and what is in it
 * @param file that it is or that has its content; null if there is none
 * @param percent of it that are in use, of a {@link Kind#SPARSE} one
 */
record GuestRam(long size, Kind kind, Path file, int percent) {
    enum Kind {
        /** A file, as it is. */
        FILE,
        /** A file, every page of which is written to. */
        POPULATED_FILE,
        /** The process's own, zero. */
        OWN,
        /** The process's own, zero, and every page made. */
        POPULATED_OWN,
        /** The process's own, with a file's content. */
        COPY,
        /** The process's own, with {@link SparseRam}. */
        SPARSE
    }

    static GuestRam of(Path file, long size) {
        return new GuestRam(size, Kind.FILE, file, 0);
    }

    static GuestRam own(long size) {
        return new GuestRam(size, Kind.OWN, null, 0);
    }

    static GuestRam copyOf(Path file, long size) {
        return new GuestRam(size, Kind.COPY, file, 0);
    }

    static GuestRam sparse(SparseRam ram) {
        return new GuestRam(ram.size(), Kind.SPARSE, null, ram.percent());
    }

    /** The same, and every page is made before it is used; a copy's are. */
    GuestRam populated() {
        Kind populated =
                switch (kind) {
                    case FILE, POPULATED_FILE -> Kind.POPULATED_FILE;
                    case OWN, POPULATED_OWN -> Kind.POPULATED_OWN;
                    case COPY -> Kind.COPY;
                    case SPARSE ->
                            throw new IllegalArgumentException("sparse RAM has absent pages");
                };
        return new GuestRam(size, populated, file, percent);
    }

    BenchMachine make() throws IOException {
        BenchMachine machine =
                switch (kind) {
                    case FILE, POPULATED_FILE -> new BenchMachine(file, size);
                    case OWN, POPULATED_OWN, SPARSE -> BenchMachine.anonymous(size);
                    case COPY -> BenchMachine.copyOf(file, size);
                };
        if (kind == Kind.POPULATED_FILE || kind == Kind.POPULATED_OWN) machine.populate();
        if (kind == Kind.SPARSE) new SparseRam(size, percent).fill(machine.memory());
        return machine;
    }

    /** All of it on a line, the file's name last. */
    String words() {
        return size + " " + kind + " " + percent + " " + (file == null ? "" : file);
    }

    static GuestRam parse(String words) {
        String[] each = words.split(" ", 4);
        return new GuestRam(
                Long.parseLong(each[0]),
                Kind.valueOf(each[1]),
                each[3].isEmpty() ? null : Path.of(each[3]),
                Integer.parseInt(each[2]));
    }
}
