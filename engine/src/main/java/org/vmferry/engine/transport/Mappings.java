package org.vmferry.engine.transport;

import org.slf4j.Logger;
import org.vmferry.engine.system.MappedRange;
import org.vmferry.spi.Log;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/** What this process has mapped of a file, as the system tells it: also where no lock says so. */
final class Mappings {
    private static final Logger log = Log.of(LocalFileTransport.class);

    private Mappings() {}

    /**
     * Bytes of a file.
     *
     * @param from the first
     * @param to behind the last
     */
    record Bytes(long from, long to) {
        boolean overlap(long first, long end) {
            return from < end && first < to;
        }
    }

    /** A mapping of a file. */
    private record Mapping(Bytes bytes, String device, long inode, String name) {
        Mapping(MappedRange range) {
            this(
                    new Bytes(range.offset(), range.offset() + range.to() - range.from()),
                    range.device(),
                    range.inode(),
                    range.name());
        }

        /**
         * Some file systems give their files other device numbers here than when they are asked.
         */
        boolean isOfFile(Path file, long inode, long device) {
            if (inode != this.inode) return false;
            if (this.device.equals("%02x:%02x".formatted(major(device), minor(device))))
                return true;
            try {
                return Files.isSameFile(Path.of(name), file);
            } catch (IOException | InvalidPathException e) {
                return false;
            }
        }

        /** A device may have several nodes, each with an inode of its own. */
        boolean isOfDevice(long number) {
            try {
                return number(Path.of(name), "rdev") == number;
            } catch (IOException | InvalidPathException e) {
                return false;
            }
        }
    }

    /** The first mapping of these bytes of a file or block device. */
    static Optional<Bytes> of(Path file, FileTarget.Kind kind, long from, long to) {
        try {
            boolean device = kind == FileTarget.Kind.BLOCK_DEVICE;
            long inode = number(file, "ino");
            long number = number(file, device ? "rdev" : "dev");
            return MappedRange.all()
                    .filter(range -> range.name().startsWith("/")) // others are no files
                    .map(Mapping::new)
                    .filter(m -> m.bytes().overlap(from, to))
                    .filter(m -> device ? m.isOfDevice(number) : m.isOfFile(file, inode, number))
                    .map(Mapping::bytes)
                    .findFirst();
        } catch (IOException | UnsupportedOperationException e) {
            log.debug("What is mapped of '{}' can't be told", file, e);
            return Optional.empty();
        }
    }

    /** The one node of a device that all know, where there is one; else the one that was named. */
    static Path node(Path device, boolean writable) {
        try {
            long number = number(device, "rdev");
            Path known = Path.of("/dev/block/%d:%d".formatted(major(number), minor(number)));
            boolean open = writable ? Files.isWritable(known) : Files.isReadable(known);
            if (open && number(known, "rdev") == number) return known;
        } catch (IOException | UnsupportedOperationException e) {
            log.debug("The number of '{}' can't be told", device, e);
        }
        return device;
    }

    private static long number(Path file, String attribute) throws IOException {
        return ((Number) Files.getAttribute(file, "unix:" + attribute)).longValue();
    }

    private static long major(long device) {
        return device >>> 8 & 0xfff | device >>> 32 & ~0xfffL;
    }

    private static long minor(long device) {
        return device & 0xff | device >>> 12 & ~0xffL;
    }
}
