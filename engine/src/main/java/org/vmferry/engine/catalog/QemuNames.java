package org.vmferry.engine.catalog;

import org.jspecify.annotations.Nullable;
import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * The names that QEMU 10.0 and 7.2 know. Some nobody here obeys: because nobody built it, or
 * because the artifact that has it isn't there. They are refused by name, unless they are set to
 * what a QEMU has anyway: scripts set all they know.
 */
@Status(Status.Level.INTERNAL)
public enum QemuNames {
    /** Those of capabilities. */
    CAPABILITY(
            new Table()
                    .engines(
                            EngineOptions.RETURN_PATH,
                            EngineOptions.PAUSE_BEFORE_SWITCHOVER,
                            EngineOptions.SWITCHOVER_ACK,
                            EngineOptions.EVENTS,
                            EngineOptions.VALIDATE_UUID,
                            EngineOptions.X_IGNORE_SHARED,
                            EngineOptions.AUTO_CONVERGE)
                    .notBuilt("xbzrle", false, "XBZRLE")
                    .notBuilt("postcopy-ram", false, "postcopy")
                    .notBuilt("postcopy-preempt", false, "postcopy")
                    .notBuilt("postcopy-blocktime", false, "postcopy")
                    .notBuilt("background-snapshot", false, "snapshots by write protection")
                    .notBuilt("x-colo", false, "COLO")
                    .notBuilt("rdma-pin-all", false, "RDMA")
                    .notBuilt("dirty-limit", false, "dirty rate limits")
                    .notBuilt("dirty-bitmaps", false, "block dirty bitmaps")
                    .notBuilt("release-ram", false, "release of RAM while it is sent")
                    .notBuilt("late-block-activate", false, "block devices")
                    .notBuilt("zero-copy-send", false, "sending without a copy")
                    .notBuilt("zero-blocks", false, "block migration")
                    .notBuilt("block", false, "block migration")
                    .notBuilt(
                            "compress", false, "compression threads; multifd-compression is there")
                    .owned("multifd", false, KnownPlugins.MULTIFD)
                    .owned("mapped-ram", false, KnownPlugins.MAPPED_RAM)),
    /** Those of parameters. */
    PARAMETER(
            new Table()
                    .engines(
                            EngineOptions.MODE,
                            EngineOptions.MAX_BANDWIDTH,
                            EngineOptions.AVAIL_SWITCHOVER_BANDWIDTH,
                            EngineOptions.DOWNTIME_LIMIT,
                            EngineOptions.MULTIFD_COMPRESSION,
                            EngineOptions.TLS_CREDS,
                            EngineOptions.TLS_HOSTNAME,
                            EngineOptions.TLS_AUTHZ,
                            EngineOptions.CPU_THROTTLE_INITIAL,
                            EngineOptions.CPU_THROTTLE_INCREMENT,
                            EngineOptions.MAX_CPU_THROTTLE,
                            EngineOptions.THROTTLE_TRIGGER_THRESHOLD)
                    .notBuilt("xbzrle-cache-size", 64 << 20, "XBZRLE")
                    .notBuilt("max-postcopy-bandwidth", 0, "postcopy")
                    .notBuilt("x-checkpoint-delay", 20_000, "COLO")
                    .notBuilt("block-bitmap-mapping", List.of(), "block dirty bitmaps")
                    .notBuilt("block-incremental", false, "block migration")
                    .notBuilt("vcpu-dirty-limit", 1, "dirty rate limits")
                    .notBuilt("x-vcpu-dirty-limit-period", 1000, "dirty rate limits")
                    .notBuilt("cpu-throttle-tailslow", false, "slower throttling at the end")
                    .notBuilt("multifd-qatzip-level", 1, "Intel's QATzip")
                    .notBuilt("compress-level", 1, "compression threads")
                    .notBuilt("compress-threads", 8, "compression threads")
                    .notBuilt("compress-wait-thread", true, "compression threads")
                    .notBuilt("decompress-threads", 2, "compression threads")
                    .notBuilt("announce-initial", 50, "network cards to announce")
                    .notBuilt("announce-max", 550, "network cards to announce")
                    .notBuilt("announce-rounds", 5, "network cards to announce")
                    .notBuilt("announce-step", 100, "network cards to announce")
                    .owned("multifd-channels", 2, KnownPlugins.MULTIFD)
                    .owned("multifd-zlib-level", 1, KnownPlugins.MULTIFD)
                    .owned("zero-page-detection", "multifd", KnownPlugins.MULTIFD)
                    .owned("multifd-zstd-level", 1, KnownPlugins.ZSTD)
                    .owned("direct-io", false, KnownPlugins.MAPPED_RAM)
                    // A machine type's property in QEMU, and none of its parameters.
                    .owned("multifd-flush-after-each-section", null, KnownPlugins.MULTIFD));

    private static final Set<String> MODES = Set.of("cpr-transfer", "cpr-exec");

    /**
     * A name.
     *
     * @param defaultValue QEMU's, as JSON has it; null if it is none of QEMU's
     * @param missing what nobody built; null if somebody did
     * @param artifact who obeys it; null for the engine, and if nobody does
     */
    private record Known(
            @Nullable Object defaultValue, @Nullable String missing, @Nullable String artifact) {}

    private static final class Table {
        private final Map<String, Known> names = new TreeMap<>();

        Table engines(Option<?>... options) {
            for (Option<?> option : options)
                names.put(option.name(), new Known(option.defaultValue(), null, null));
            return this;
        }

        Table notBuilt(String name, Object defaultValue, String missing) {
            names.put(name, new Known(defaultValue, missing, null));
            return this;
        }

        Table owned(String name, @Nullable Object defaultValue, String artifact) {
            names.put(name, new Known(defaultValue, null, artifact));
            return this;
        }
    }

    private final Map<String, Known> names;

    QemuNames(Table table) {
        names = table.names;
    }

    /** What a QEMU means by a name that vmferry has not; empty if it isn't one of those. */
    Optional<String> notBuilt(String name) {
        return Optional.ofNullable(names.get(name)).map(Known::missing);
    }

    /** Group and artifact that obeys a name; empty if it is none of vmferry's plug-ins. */
    Optional<String> owner(String name) {
        return Optional.ofNullable(names.get(name)).map(Known::artifact);
    }

    /** All of these, for suggestions. */
    Set<String> all() {
        return Set.copyOf(names.keySet());
    }

    /** Whether a value, as a person types it, is what a QEMU has where nobody set it. */
    boolean isDefault(String name, String value) {
        Known known = names.get(name);
        if (known == null || known.defaultValue == null) return false;
        String text = known.defaultValue.toString();
        return value.equals(text)
                || known.defaultValue instanceof Boolean on && value.equals(on ? "on" : "off");
    }

    /**
     * Whether a QEMU has an option of that name.
     *
     * @param name of a capability or parameter
     * @return false for those of vmferry, and of its plug-ins, that a QEMU refuses
     */
    public boolean has(String name) {
        Known known = names.get(name);
        return known != null && known.defaultValue != null;
    }

    /**
     * Names that nobody obeys here, with the value that may be set all the same.
     *
     * @param obeyed tells those that somebody obeys
     * @return name and QEMU's default: a Boolean, an Integer, a String or an empty List
     */
    public Map<String, Object> defaultsOfOthers(Predicate<String> obeyed) {
        Map<String, Object> defaults = new TreeMap<>();
        names.forEach(
                (name, known) -> {
                    Object value = known.defaultValue;
                    if (value != null && !obeyed.test(name)) defaults.put(name, value);
                });
        return defaults;
    }

    /** Whether a value of {@code mode} is a QEMU's only. */
    static boolean mode(String mode) {
        return MODES.contains(mode);
    }

    /**
     * Every name that is refused because nobody built it.
     *
     * @return sorted; capabilities and parameters
     */
    public static Set<String> notBuilt() {
        Set<String> all = new TreeSet<>();
        for (QemuNames kind : values()) {
            kind.names.keySet().stream()
                    .filter(name -> kind.notBuilt(name).isPresent())
                    .forEach(all::add);
        }
        return all;
    }

    /** As in a sentence. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
