package org.vmferry.engine.qmp;

import static org.vmferry.engine.qmp.QmpType.Builtin.ANY;
import static org.vmferry.engine.qmp.QmpType.Builtin.BOOLEAN;
import static org.vmferry.engine.qmp.QmpType.Builtin.INTEGER;
import static org.vmferry.engine.qmp.QmpType.Builtin.STRING;
import static org.vmferry.engine.qmp.QmpType.NOTHING;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.Migration;
import org.vmferry.engine.catalog.OptionCatalog;
import org.vmferry.engine.catalog.OptionInfo;
import org.vmferry.engine.catalog.OptionReader;
import org.vmferry.engine.catalog.QemuNames;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.qmp.QmpType.Array;
import org.vmferry.engine.qmp.QmpType.Choice;
import org.vmferry.engine.qmp.QmpType.StringOrNull;
import org.vmferry.engine.qmp.QmpType.Struct;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The capabilities and parameters that clients have set, which hold for every migration from then
 * on. Each is checked when it is set; whether they go together, when a migration begins.
 */
final class OptionCommands {
    /** Asks for the options that no QEMU has, too. */
    private static final String OWN = "vmferry-own";

    private final OptionCatalog catalog;
    private final OptionReader reader;
    private final Map<String, OptionInfo> known = new LinkedHashMap<>(); // that somebody obeys
    private final Map<String, Object> others; // with the value that they may be set to
    private final QomObjects objects;
    private final Migrations migrations;
    private Settings settings = Settings.NONE; // guarded by the monitor's lock

    OptionCommands(
            OptionCatalog catalog, QomObjects objects, Migrations migrations, Monitor monitor) {
        this.catalog = catalog;
        this.reader = new OptionReader(catalog);
        this.objects = objects;
        this.migrations = migrations;
        for (OptionInfo option : catalog.describe(Options.DEFAULTS))
            known.put(option.name(), option);
        this.others = QemuNames.PARAMETER.defaultsOfOthers(known::containsKey);
        Struct own = NOTHING.withOptional(OWN, BOOLEAN);
        Struct state = NOTHING.with("capability", STRING).with("state", BOOLEAN);
        monitor.command(
                "migrate-set-capabilities",
                NOTHING.with("capabilities", new Array(state)),
                NOTHING,
                this::setCapabilities);
        monitor.command(
                "query-migrate-capabilities", own, new Array(state), this::queryCapabilities);
        // What a parameter takes is checked, and explained, by the option's owner.
        monitor.command(
                "migrate-set-parameters", parameters(true), ANY, NOTHING, this::setParameters);
        monitor.command("query-migrate-parameters", own, parameters(false), this::queryParameters);
    }

    /** All that may be set, or is told; those that nobody obeys may only be set to the default. */
    private Struct parameters(boolean set) {
        Struct parameters = NOTHING;
        for (OptionInfo option : known.values()) {
            if (option.capability()) continue;
            QmpType type =
                    option.words().isEmpty()
                            ? type(option.defaultValue(), set)
                            : new Choice(option.words());
            parameters = parameters.withOptional(option.name(), type);
        }
        if (!set) return parameters;
        for (Map.Entry<String, Object> other : others.entrySet()) {
            parameters = parameters.withOptional(other.getKey(), type(other.getValue(), true));
        }
        return parameters;
    }

    private static QmpType type(Object defaultValue, boolean set) {
        return switch (defaultValue) {
            case Boolean any -> BOOLEAN;
            case Number any -> INTEGER;
            case List<?> any -> new Array(ANY);
            default -> set ? new StringOrNull() : STRING;
        };
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
            next = next.capability(each.string("capability"), each.bool("state", false));
        }
        if (migrations.running()) throw Refusal.generic("There's a migration process in progress");
        reader.check(next);
        settings = next;
        return Map.of();
    }

    private Object queryCapabilities(Arguments arguments) throws MigrationException {
        List<Object> capabilities = new ArrayList<>();
        for (OptionInfo option : catalog.describe(reader.read(settings))) {
            if (!option.capability() || !isAsked(QemuNames.CAPABILITY, option, arguments)) continue;
            capabilities.add(Monitor.ordered("capability", option.name(), "state", option.value()));
        }
        return capabilities;
    }

    private Object setParameters(Arguments arguments) throws Refusal, MigrationException {
        Settings asked = Settings.NONE;
        for (Map.Entry<String, @Nullable Object> each : arguments.members().entrySet()) {
            asked = asked.parameter(each.getKey(), text(each.getKey(), each.getValue()));
        }
        Settings next = settings.plus(asked);
        reader.check(next);
        Optional<Migration> running = migrations.current();
        if (running.isPresent()) running.get().change(objects.resolve(asked, true));
        settings = next;
        return Map.of();
    }

    /** The value as a person types it. */
    private String text(String name, @Nullable Object value) throws Refusal {
        OptionInfo option = known.get(name);
        if (option != null && option.capability()) return ""; // refused below, by name
        Object defaultValue = option == null ? others.get(name) : option.defaultValue();
        if (defaultValue == null) return ""; // the same
        TypeCheck.check(type(defaultValue, true), value, name);
        return switch (value) {
            case null -> "";
            case Boolean on -> on ? "on" : "off";
            // QEMU reads its 64 bits as unsigned.
            case Long number when defaultValue instanceof Long -> Long.toUnsignedString(number);
            default -> value.toString();
        };
    }

    private Object queryParameters(Arguments arguments) throws MigrationException {
        Map<String, Object> parameters = new LinkedHashMap<>();
        for (OptionInfo option : catalog.describe(reader.read(settings))) {
            if (option.capability() || !isAsked(QemuNames.PARAMETER, option, arguments)) continue;
            parameters.put(option.name(), option.value());
        }
        return parameters;
    }

    /** What is told can be said to a QEMU, unless the client asks for all. */
    private static boolean isAsked(QemuNames kind, OptionInfo option, Arguments arguments) {
        return kind.has(option.name()) || arguments.bool(OWN, false);
    }
}
