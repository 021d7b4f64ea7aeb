package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.INTEGER;
import static org.vmferry.engine.qmp.QmpType.Builtin.NUMBER;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.Struct;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.transport.Address;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What query-migrate tells of a migration, with QEMU's members for each of its states. */
final class QueryMigrate {
    private static final List<String> COUNTS =
            List.of(
                    "total",
                    "transferred",
                    "remaining",
                    "duplicate",
                    "normal",
                    "normal-bytes",
                    "page-size",
                    "pages-per-second",
                    "dirty-sync-count",
                    "dirty-pages-rate",
                    "multifd-bytes",
                    "precopy-bytes",
                    "downtime-bytes",
                    "postcopy-bytes",
                    "postcopy-requests",
                    "dirty-sync-missed-zero-copy");

    /** What it may tell. */
    static final Struct TYPE =
            NOTHING.withOptional("status", Migrations.STATE)
                    .withOptional("total-time", INTEGER)
                    .withOptional("setup-time", INTEGER)
                    .withOptional("downtime", INTEGER)
                    .withOptional("expected-downtime", INTEGER)
                    .withOptional("cpu-throttle-percentage", INTEGER)
                    .withOptional("error-desc", STRING)
                    .withOptional("ram", ramType())
                    .withOptional("socket-address", new Array(addressType()));

    private QueryMigrate() {}

    private static Struct ramType() {
        Struct ram = NOTHING.with("mbps", NUMBER);
        for (String count : COUNTS) ram = ram.with(count, INTEGER);
        return ram;
    }

    private static Struct addressType() {
        return NOTHING.with("type", new Choice(List.of("inet", "unix", "vsock", "fd")))
                .withOptional("path", STRING)
                .withOptional("host", STRING)
                .withOptional("port", STRING)
                .withOptional("ipv4", BOOLEAN)
                .withOptional("ipv6", BOOLEAN);
    }

    static Map<String, Object> ofSource(Migration migration) {
        MigrationState state = migration.state();
        Map<String, Object> told = begin(migration, state);
        if (state == MigrationState.FAILED || state == MigrationState.CANCELLED) return told;
        Statistics now = migration.statistics();
        told.put("total-time", now.totalTime());
        if (state == MigrationState.SETUP || state == MigrationState.NONE) return told;
        told.put("setup-time", now.setupTime());
        if (state == MigrationState.COMPLETED) told.put("downtime", now.downtime());
        else told.put("expected-downtime", now.expectedDowntime());
        if (now.cpuThrottle() > 0) told.put("cpu-throttle-percentage", now.cpuThrottle());
        told.put("ram", ram(now));
        return told;
    }

    static Map<String, Object> ofDestination(Migration migration) {
        MigrationState state = migration.state();
        Map<String, Object> told = begin(migration, state);
        if (!state.isFinal()) {
            List<?> listening = addresses(migration.address());
            if (!listening.isEmpty()) told.put("socket-address", listening);
        }
        return told;
    }

    private static Map<String, Object> begin(Migration migration, MigrationState state) {
        Map<String, Object> told = new LinkedHashMap<>();
        // It enters set-up first of all.
        MigrationState shown = state == MigrationState.NONE ? MigrationState.SETUP : state;
        told.put("status", shown.wireName());
        if (state == MigrationState.FAILED) {
            migration.failure().ifPresent(why -> told.put("error-desc", why.getMessage()));
        }
        return told;
    }

    private static Map<String, Object> ram(Statistics now) {
        Map<String, Object> ram = new LinkedHashMap<>();
        ram.put("total", now.total());
        ram.put("transferred", now.transferred());
        ram.put("remaining", now.remaining());
        ram.put("duplicate", now.duplicate());
        ram.put("normal", now.normal());
        ram.put("normal-bytes", now.normalBytes());
        ram.put("page-size", now.pageSize());
        ram.put("mbps", now.mbps());
        ram.put("pages-per-second", now.pagesPerSecond());
        ram.put("dirty-sync-count", now.dirtySyncCount());
        ram.put("dirty-pages-rate", now.dirtyPagesRate());
        ram.put("multifd-bytes", now.channelBytes());
        ram.put("precopy-bytes", now.precopyBytes());
        ram.put("downtime-bytes", now.downtimeBytes());
        // There is neither postcopy nor sending without a copy.
        ram.put("postcopy-bytes", 0);
        ram.put("postcopy-requests", 0);
        ram.put("dirty-sync-missed-zero-copy", 0);
        return ram;
    }

    private static List<?> addresses(Address address) {
        String target = address.target();
        return switch (address.scheme()) {
            case "unix" -> List.of(Map.of("type", "unix", "path", target));
            case "tcp" -> {
                int colon = target.lastIndexOf(':');
                String host = target.substring(0, colon);
                boolean six = host.startsWith("[");
                yield List.of(
                        Map.of(
                                "type",
                                "inet",
                                "host",
                                six ? host.substring(1, host.length() - 1) : host,
                                "port",
                                target.substring(colon + 1),
                                six ? "ipv6" : "ipv4",
                                true));
            }
            default -> List.of();
        };
    }
}
