package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;

/** Says in one sentence what the system refused. */
final class Trouble {
    // ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: the last one is what the network said meanwhile.
    private static final Set<String> GONE =
            Set.of("Connection timed out", "No route to host", "Network is unreachable");

    private Trouble() {}

    static MigrationException explain(String what, Path file, IOException e) {
        if (lostMapping(e)) {
            return transport(
                    MigrationException.LOST_MAPPING + "; it was to " + what + " '" + file + "'", e);
        }
        return switch (e) {
            case MigrationException m -> m;
            case NoSuchFileException n ->
                    user(
                            "can't " + what + " '" + file + "': there is no such file or directory",
                            e);
            case AccessDeniedException a ->
                    user("can't " + what + " '" + file + "': no permission", e);
            case FileSystemException f when f.getReason() != null ->
                    transport("can't " + what + " '" + file + "': " + f.getReason(), e);
            default -> transport("can't " + what + " '" + file + "': " + e.getMessage(), e);
        };
    }

    /** The path of an address that this system has no name for. */
    static MigrationException unnamed(Address address, InvalidPathException e) {
        String advice =
                e.getInput().indexOf('\0') >= 0
                        ? ""
                        : ": this process began in a locale whose encoding is %s; start it with LC_ALL=C.UTF-8"
                                .formatted(System.getProperty("sun.jnu.encoding"));
        return user("'%s': %s%s".formatted(address, e.getReason(), advice), e);
    }

    /** What the system said, or meant. */
    static String why(IOException e) {
        return lostMapping(e) ? MigrationException.LOST_MAPPING : String.valueOf(e.getMessage());
    }

    /** EFAULT: the memory of a transfer is always there, unless it stands for a file's bytes. */
    private static boolean lostMapping(IOException e) {
        return "Bad address".equals(e.getMessage());
    }

    /** Whether a connection failed because nothing comes from its other end any more. */
    static boolean gone(IOException e) {
        return e.getMessage() != null && GONE.contains(e.getMessage());
    }

    /** Whether a transfer failed because a disk, or somebody's share of it, is full. */
    static boolean full(IOException e) {
        String said = String.valueOf(e.getMessage());
        return said.contains("No space left on device") || said.contains("quota exceeded");
    }

    /**
     * The disk is full.
     *
     * @param needed how much is, such as "5 bytes"
     * @param folder on that disk
     * @param cause what the system said, or null
     */
    static MigrationException noRoom(
            Path file, String needed, Path folder, @Nullable IOException cause) {
        return noRoom(file, needed, free(folder) + " are free in '" + folder + "'", cause);
    }

    /** As above; {@code free} says what there is, and where. */
    static MigrationException noRoom(
            Path file, String needed, String free, @Nullable IOException cause) {
        // A quota that is full leaves the disk free.
        String why = cause == null ? "" : String.valueOf(cause.getMessage());
        if (why.startsWith("No space")) why = "";
        return user(
                "no room for '%s': needs %s, %s%s"
                        .formatted(file, needed, free, why.isEmpty() ? "" : " (" + why + ")"),
                cause);
    }

    /** How many bytes may be written in a folder, in words. */
    private static String free(Path folder) {
        long free = Room.in(folder);
        return free == Long.MAX_VALUE ? "an unknown number" : Long.toString(free);
    }

    static MigrationException user(String sentence, @Nullable Throwable cause) {
        return new MigrationException(Blame.USER, sentence, cause);
    }

    static MigrationException transport(String sentence, @Nullable Throwable cause) {
        return new MigrationException(Blame.TRANSPORT, sentence, cause);
    }
}
