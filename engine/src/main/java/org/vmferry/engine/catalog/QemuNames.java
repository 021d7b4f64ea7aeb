package org.vmferry.engine.catalog;

import org.vmferry.engine.discovery.KnownPlugins;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Names that a QEMU knows and that nobody here obeys: because nobody built it, or because the
 * artifact that has it isn't there. They are refused by name.
 */
public final class QemuNames {
    private static final Map<String, String> CAPABILITIES =
            Map.ofEntries(
                    Map.entry("xbzrle", "XBZRLE"),
                    Map.entry("postcopy-ram", "postcopy"),
                    Map.entry("postcopy-preempt", "postcopy"),
                    Map.entry("postcopy-blocktime", "postcopy"),
                    Map.entry("background-snapshot", "snapshots by write protection"),
                    Map.entry("x-colo", "COLO"),
                    Map.entry("rdma-pin-all", "RDMA"),
                    Map.entry("dirty-limit", "dirty rate limits"),
                    Map.entry("dirty-bitmaps", "block dirty bitmaps"),
                    Map.entry("release-ram", "release of RAM while it is sent"),
                    Map.entry("late-block-activate", "block devices"),
                    Map.entry("zero-copy-send", "sending without a copy"),
                    Map.entry("zero-blocks", "block migration"),
                    Map.entry("block", "block migration"),
                    Map.entry("compress", "compression threads; multifd-compression is there"));

    private static final Map<String, String> PARAMETERS =
            Map.ofEntries(
                    Map.entry("xbzrle-cache-size", "XBZRLE"),
                    Map.entry("max-postcopy-bandwidth", "postcopy"),
                    Map.entry("x-checkpoint-delay", "COLO"),
                    Map.entry("block-bitmap-mapping", "block dirty bitmaps"),
                    Map.entry("block-incremental", "block migration"),
                    Map.entry("vcpu-dirty-limit", "dirty rate limits"),
                    Map.entry("x-vcpu-dirty-limit-period", "dirty rate limits"),
                    Map.entry("cpu-throttle-tailslow", "slower throttling at the end"),
                    Map.entry("multifd-qatzip-level", "Intel's QATzip"),
                    Map.entry("compress-level", "compression threads"),
                    Map.entry("compress-threads", "compression threads"),
                    Map.entry("compress-wait-thread", "compression threads"),
                    Map.entry("decompress-threads", "compression threads"),
                    Map.entry("announce-initial", "network cards to announce"),
                    Map.entry("announce-max", "network cards to announce"),
                    Map.entry("announce-rounds", "network cards to announce"),
                    Map.entry("announce-step", "network cards to announce"));

    private static final Map<String, String> CAPABILITY_OWNERS =
            Map.of("multifd", KnownPlugins.MULTIFD, "mapped-ram", KnownPlugins.MAPPED_RAM);

    private static final Map<String, String> PARAMETER_OWNERS =
            Map.of(
                    "multifd-channels", KnownPlugins.MULTIFD,
                    "multifd-zlib-level", KnownPlugins.MULTIFD,
                    "multifd-flush-after-each-section", KnownPlugins.MULTIFD,
                    "zero-page-detection", KnownPlugins.MULTIFD,
                    "multifd-zstd-level", KnownPlugins.ZSTD,
                    "direct-io", KnownPlugins.MAPPED_RAM);

    /** Values of {@code mode}. */
    private static final Set<String> MODES = Set.of("cpr-transfer", "cpr-exec");

    private QemuNames() {}

    /**
     * What a QEMU means by a capability that vmferry has not.
     *
     * @param name its name
     * @return what is missing; empty if the name isn't one of those
     */
    public static Optional<String> capability(String name) {
        return Optional.ofNullable(CAPABILITIES.get(name));
    }

    /**
     * What a QEMU means by a parameter that vmferry has not.
     *
     * @param name its name
     * @return what is missing; empty if the name isn't one of those
     */
    public static Optional<String> parameter(String name) {
        return Optional.ofNullable(PARAMETERS.get(name));
    }

    /**
     * Whether a mode is a QEMU's only.
     *
     * @param mode a value of {@code mode}
     * @return false also if no QEMU has it
     */
    public static boolean mode(String mode) {
        return MODES.contains(mode);
    }

    /**
     * The artifact that obeys a capability.
     *
     * @param name its name
     * @return group and artifact; empty if it is none of vmferry's plug-ins
     */
    public static Optional<String> capabilityOwner(String name) {
        return Optional.ofNullable(CAPABILITY_OWNERS.get(name));
    }

    /**
     * The artifact that obeys a parameter.
     *
     * @param name its name
     * @return group and artifact; empty if it is none of vmferry's plug-ins
     */
    public static Optional<String> parameterOwner(String name) {
        return Optional.ofNullable(PARAMETER_OWNERS.get(name));
    }

    /**
     * Every name that is refused because nobody built it.
     *
     * @return name and what is missing, sorted; capabilities and parameters
     */
    public static Map<String, String> names() {
        Map<String, String> names = new TreeMap<>(CAPABILITIES);
        names.putAll(PARAMETERS);
        return names;
    }

    /** Every capability's name here, for suggestions. */
    static Set<String> capabilities() {
        Set<String> names = new TreeSet<>(CAPABILITIES.keySet());
        names.addAll(CAPABILITY_OWNERS.keySet());
        return names;
    }

    /** Every parameter's name here, for suggestions. */
    static Set<String> parameters() {
        Set<String> names = new TreeSet<>(PARAMETERS.keySet());
        names.addAll(PARAMETER_OWNERS.keySet());
        return names;
    }
}
