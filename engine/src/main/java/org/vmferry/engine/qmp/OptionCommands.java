package org.vmferry.engine.qmp;

import org.vmferry.engine.catalog.OptionCatalog;
import org.vmferry.engine.catalog.OptionInfo;
import org.vmferry.engine.catalog.OptionReader;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The capabilities and parameters that clients have set, which hold for every migration from then
 * on. Each is checked when it is set; whether they go together, when a migration begins.
 */
final class OptionCommands {
    private final OptionCatalog catalog;
    private final OptionReader reader;
    private final QomObjects objects;
    private final Migrations migrations;
    private Settings settings = Settings.NONE; // guarded by the monitor's lock

    OptionCommands(
            OptionCatalog catalog, QomObjects objects, Migrations migrations, Monitor monitor) {
        this.catalog = catalog;
        this.reader = new OptionReader(catalog);
        this.objects = objects;
        this.migrations = migrations;
        monitor.command("migrate-set-capabilities", this::setCapabilities);
        monitor.command("query-migrate-capabilities", this::queryCapabilities);
        monitor.command("migrate-set-parameters", this::setParameters);
        monitor.command("query-migrate-parameters", this::queryParameters);
    }

    Settings settings() {
        return settings;
    }

    boolean on(Capability capability) {
        return settings.capabilities().getOrDefault(capability.name(), false);
    }

    private Object setCapabilities(Arguments arguments) throws Refusal, MigrationException {
        Settings next = settings;
        for (Arguments each : arguments.objects("capabilities")) {
            next = next.capability(each.string("capability"), each.bool("state"));
            each.end();
        }
        arguments.end();
        if (migrations.running()) throw Refusal.generic("There's a migration process in progress");
        reader.check(next);
        settings = next;
        return Map.of();
    }

    private Object queryCapabilities(Arguments arguments) throws Refusal, MigrationException {
        arguments.end();
        List<Object> capabilities = new ArrayList<>();
        for (OptionInfo option : catalog.describe(reader.read(settings))) {
            if (!option.capability()) continue;
            capabilities.add(Monitor.ordered("capability", option.name(), "state", option.value()));
        }
        return capabilities;
    }

    private Object setParameters(Arguments arguments) throws Refusal, MigrationException {
        Map<String, OptionInfo> known = new LinkedHashMap<>();
        for (OptionInfo option : catalog.describe(Options.DEFAULTS))
            known.put(option.name(), option);
        Settings asked = Settings.NONE;
        for (Map.Entry<String, Object> each : arguments.rest().entrySet()) {
            OptionInfo option = known.get(each.getKey());
            asked =
                    asked.parameter(
                            each.getKey(),
                            option == null || option.capability()
                                    ? "" // refused below, by name
                                    : text(option, each.getValue()));
        }
        Settings next = settings.plus(asked);
        reader.check(next);
        if (migrations.running()) migrations.current().change(objects.resolve(asked, true));
        settings = next;
        return Map.of();
    }

    /** The value as a person types it. */
    private static String text(OptionInfo option, Object value) throws Refusal {
        return switch (option.defaultValue()) {
            case Boolean any when value instanceof Boolean on -> on ? "on" : "off";
            case Number any when value instanceof Long || value instanceof BigInteger ->
                    value.toString();
            case String any when value instanceof String text -> text;
            case String any when value == null && any.isEmpty() -> "";
            case Boolean any -> throw Arguments.wrongType(option.name(), "boolean");
            case Number any -> throw Arguments.wrongType(option.name(), "integer");
            default -> throw Arguments.wrongType(option.name(), "string");
        };
    }

    private Object queryParameters(Arguments arguments) throws Refusal, MigrationException {
        arguments.end();
        Map<String, Object> parameters = new LinkedHashMap<>();
        for (OptionInfo option : catalog.describe(reader.read(settings))) {
            if (!option.capability()) parameters.put(option.name(), option.value());
        }
        return parameters;
    }
}
