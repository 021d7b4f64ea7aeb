package org.vmferry.it.hostile;

import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Commands;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A host whose files have numbers above 2^31, and above 2^63, wherever a number may stand. It says
 * all that the engine and the command say of them; {@link HostileNumbersTest} looks at it.
 */
public final class HostileNumbers {
    private static final String DESCRIPTION = "{\"configuration\"";

    private final HostileNames host;

    private HostileNumbers(HostileNames host) {
        this.host = host;
    }

    /**
     * The process.
     *
     * @param arguments a folder for it, empty
     */
    public static void main(String[] arguments) throws Exception {
        HostileNumbers numbers =
                new HostileNumbers(HostileNames.in(Path.of(arguments[0]))); // logs all
        for (Settings settings : List.of(Settings.NONE, HostileNames.MAPPED))
            numbers.files(settings);
        System.err.println("all was tried");
    }

    /** Every 4 and 8 bytes before the description, but where all around is zero, or RAM. */
    private void files(Settings settings) throws Exception {
        Path file = host.folder.resolve("sound");
        HostileNames.end(host.save(HostileNames.guest("machine"), file, settings));
        byte[] all = Files.readAllBytes(file);
        ByteBuffer sound = ByteBuffer.wrap(all);
        int end = new String(all, StandardCharsets.ISO_8859_1).lastIndexOf(DESCRIPTION);
        for (int at = 0; at + 8 <= end; at++) {
            // A number begins with a zero byte, and isn't all zero with what is behind it.
            if (all[at] != 0 || sound.getLong(at) == 0) continue;
            changed(sound, at, settings, true);
            changed(sound, at, settings, false);
        }
    }

    private void changed(ByteBuffer sound, int at, Settings settings, boolean narrow)
            throws Exception {
        byte[] bytes = sound.array().clone();
        if (narrow) ByteBuffer.wrap(bytes).putInt(at, -2);
        else ByteBuffer.wrap(bytes).putLong(at, Long.MIN_VALUE);
        Path file = host.folder.resolve("changed");
        Files.write(file, bytes);
        String what = (narrow ? "4" : "8") + " bytes at " + at;
        HostileNames.attempt(
                "load, " + what,
                () -> HostileNames.end(host.load(HostileNames.guest("machine"), file, settings)));
        if (!narrow) return;
        HostileNames.attempt(
                "show, " + what,
                () -> {
                    Commands command = new Commands();
                    command.run("inspect", file, "--json");
                    System.err.println(command.out() + command.err());
                });
    }
}
