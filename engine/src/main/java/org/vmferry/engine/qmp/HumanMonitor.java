package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.INTEGER;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.machine.RunState;

import java.util.Locale;
import java.util.Map;

/**
 * The few words of QEMU's human monitor that scripts send as human-monitor-command and read with
 * grep. Lines are QEMU's, and end as its do.
 */
final class HumanMonitor {
    private static final String END = "\r\n";

    private final Guest guest;
    private final Migrations migrations;

    HumanMonitor(Guest guest, Migrations migrations, Monitor monitor) {
        this.guest = guest;
        this.migrations = migrations;
        monitor.command(
                "human-monitor-command",
                NOTHING.with("command-line", STRING).withOptional("cpu-index", INTEGER),
                STRING,
                this::execute);
    }

    private Object execute(Arguments arguments) {
        String line = arguments.string("command-line").strip().replaceAll("\\s++", " ");
        return switch (line) {
            case "info status" -> status(guest.runState());
            case "info migrate" -> migrate(migrations.query());
            default -> "unknown command: '" + line + "'" + END;
        };
    }

    private static String status(RunState state) {
        return "VM status: "
                + switch (state) {
                    case RUNNING -> "running";
                    case PAUSED -> "paused";
                    default -> "paused (" + state.wireName() + ")";
                }
                + END;
    }

    private static String migrate(Map<String, Object> told) {
        StringBuilder text = new StringBuilder();
        if (told.get("status") instanceof String status) {
            line(text, "Migration status: %s", status);
            if (told.get("error-desc") instanceof String why) line(text, "error: %s", why);
        }
        member(text, told, "total-time", "total time: %d ms");
        member(text, told, "expected-downtime", "expected downtime: %d ms");
        member(text, told, "downtime", "downtime: %d ms");
        member(text, told, "setup-time", "setup: %d ms");
        if (told.get("ram") instanceof Map<?, ?> ram) {
            kilobytes(text, ram, "transferred", "transferred ram");
            line(text, "throughput: %.2f mbps", ram.get("mbps"));
            kilobytes(text, ram, "remaining", "remaining ram");
            kilobytes(text, ram, "total", "total ram");
            member(text, ram, "duplicate", "duplicate: %d pages");
            member(text, ram, "normal", "normal: %d pages");
            kilobytes(text, ram, "normal-bytes", "normal bytes");
            member(text, ram, "dirty-sync-count", "dirty sync count: %d");
            kilobytes(text, ram, "page-size", "page size");
            kilobytes(text, ram, "multifd-bytes", "multifd bytes");
            member(text, ram, "pages-per-second", "pages-per-second: %d");
        }
        member(text, told, "cpu-throttle-percentage", "cpu throttle percentage: %d");
        return text.toString();
    }

    private static void member(StringBuilder text, Map<?, ?> from, String name, String format) {
        if (from.containsKey(name)) line(text, format, from.get(name));
    }

    private static void kilobytes(StringBuilder text, Map<?, ?> from, String name, String called) {
        if (from.get(name) instanceof Number bytes)
            line(text, "%s: %d kbytes", called, bytes.longValue() >> 10);
    }

    private static void line(StringBuilder text, String format, @Nullable Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append(END);
    }
}
