package org.vmferry.cli.input;

import org.tukaani.xz.MemoryLimitException;
import org.tukaani.xz.UnsupportedOptionsException;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.PositionedFile;
import org.vmferry.zstd.ZstdFrames;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Goes through packed data once, member by member: what pigz, pbzip2, xz -T and pzstd write has
 * many. Whatever a library throws at bad data has one type and one sentence. For one thread.
 */
final class Unpacking implements AutoCloseable {
    private static final int MAGIC = 4;
    private static final int PADDING = 1 << 20; // of zeros, behind a member

    private final Packed packed;
    private final PackedInput in;
    private InputStream member; // null between two
    private IOException failure;
    private boolean any;
    private boolean over;
    private String rest;

    /** Over a file, which stays the caller's. */
    Unpacking(Packed packed, PositionedFile file) {
        this.packed = packed;
        in = new PackedInput(file, packed.start());
    }

    /**
     * Unpacks some more.
     *
     * @return how many bytes, at least one; -1 at the end
     * @throws MigrationException if that can't be; asked again, it throws again
     */
    int read(byte[] into, int offset, int length) throws IOException {
        if (failure != null) throw failure;
        try {
            while (member != null || next()) {
                int count = member.read(into, offset, length);
                if (count > 0) return count;
                if (count == 0) throw new IOException("nothing is unpacked");
                member.close();
                member = null;
            }
            return -1;
        } catch (IOException | RuntimeException | Error e) {
            failure = typed(e);
            throw failure;
        }
    }

    private boolean next() throws IOException {
        if (over) return false;
        over = any && !skipZeros();
        byte[] magic = over ? new byte[0] : in.peek(MAGIC);
        int first = ByteBuffer.allocate(MAGIC).put(magic).getInt(0);
        if (magic.length > 0 && Packing.of(first).filter(packed.by()::equals).isPresent()) {
            member = packed.by().member(in);
            any = true;
            return true;
        }
        over = true;
        if (magic.length > 0) {
            rest =
                    "behind its %s data, at byte %d, %s has something else ('%s'), which was not read"
                            .formatted(
                                    packed.by().id(),
                                    in.position(),
                                    packed.name(),
                                    new String(magic, StandardCharsets.ISO_8859_1));
        }
        return false;
    }

    /** Passes over what fills up a tape's block; false if it is a device's, and has no end. */
    private boolean skipZeros() throws IOException {
        for (int zeros = 0; zeros < PADDING; zeros++) {
            byte[] next = in.peek(1);
            if (next.length == 0 || next[0] != 0) return true;
            in.skipNBytes(1);
        }
        return false;
    }

    /** What stands behind the data, if they have come to their end and it is something else. */
    Optional<String> rest() {
        return Optional.ofNullable(rest);
    }

    private IOException typed(Throwable thrown) {
        if (in.trouble().isPresent()) return in.trouble().get();
        if (thrown instanceof MigrationException typed) return typed;
        if (thrown instanceof OutOfMemoryError) return MigrationException.of(thrown);
        String id = packed.by().id();
        if (thrown instanceof LinkageError) {
            return new MigrationException(
                    Blame.HOST,
                    "what unpacks %s is not in this program (%s): %s"
                            .formatted(id, thrown.getMessage(), packed.instead()),
                    thrown);
        }
        if (thrown instanceof MemoryLimitException
                || thrown instanceof UnsupportedOptionsException
                || thrown instanceof ZstdFrames.WindowException) {
            return new MigrationException(
                    Blame.USER,
                    "%s was packed by %s with options that are not taken here, such as a large window (%s): %s"
                            .formatted(packed.name(), id, thrown.getMessage(), packed.instead()),
                    thrown);
        }
        String again = "copy it anew from where it is whole, or have the guest saved again";
        return new MigrationException(
                Blame.PEER,
                in.isShort()
                        ? "%s is cut short: it ends at byte %d within its %s data: %s"
                                .formatted(packed.name(), in.position(), id, again)
                        : "%s is damaged: its %s data can't be unpacked from before byte %d on (%s): %s"
                                .formatted(packed.name(), id, in.position(), said(thrown), again),
                thrown);
    }

    private static String said(Throwable thrown) {
        return thrown instanceof IOException && thrown.getMessage() != null
                ? thrown.getMessage()
                : thrown.getClass().getSimpleName();
    }

    /** Lets go of memory that is beside the heap. */
    @Override
    public void close() {
        over = true;
        try (InputStream open = member) {
            member = null;
        } catch (IOException | RuntimeException e) {
            // It was read, nothing can be lost.
        }
    }
}
