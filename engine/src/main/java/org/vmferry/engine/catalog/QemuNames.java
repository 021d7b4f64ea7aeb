package org.vmferry.engine.catalog;

import org.vmferry.engine.discovery.KnownPlugins;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Names that a QEMU knows and that nobody here obeys: because nobody built it, or because the
 * artifact that has it isn't there. They are refused by name.
 */
public enum QemuNames {
    /** Those of capabilities. */
    CAPABILITY(
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
                    Map.entry("compress", "compression threads; multifd-compression is there")),
            Map.of("multifd", KnownPlugins.MULTIFD, "mapped-ram", KnownPlugins.MAPPED_RAM)),
    /** Those of parameters. */
    PARAMETER(
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
                    Map.entry("announce-step", "network cards to announce")),
            Map.of(
                    "multifd-channels", KnownPlugins.MULTIFD,
                    "multifd-zlib-level", KnownPlugins.MULTIFD,
                    "multifd-flush-after-each-section", KnownPlugins.MULTIFD,
                    "zero-page-detection", KnownPlugins.MULTIFD,
                    "multifd-zstd-level", KnownPlugins.ZSTD,
                    "direct-io", KnownPlugins.MAPPED_RAM));

    private static final Set<String> MODES = Set.of("cpr-transfer", "cpr-exec");

    private final Map<String, String> notBuilt;
    private final Map<String, String> owners;

    QemuNames(Map<String, String> notBuilt, Map<String, String> owners) {
        this.notBuilt = notBuilt;
        this.owners = owners;
    }

    /** What a QEMU means by a name that vmferry has not; empty if it isn't one of those. */
    Optional<String> notBuilt(String name) {
        return Optional.ofNullable(notBuilt.get(name));
    }

    /** Group and artifact that obeys a name; empty if it is none of vmferry's plug-ins. */
    Optional<String> owner(String name) {
        return Optional.ofNullable(owners.get(name));
    }

    /** All of these, for suggestions. */
    Set<String> all() {
        Set<String> names = new TreeSet<>(notBuilt.keySet());
        names.addAll(owners.keySet());
        return names;
    }

    /** Whether a value of {@code mode} is a QEMU's only. */
    static boolean mode(String mode) {
        return MODES.contains(mode);
    }

    /**
     * Every name that is refused because nobody built it.
     *
     * @return name and what is missing, sorted; capabilities and parameters
     */
    public static Map<String, String> names() {
        Map<String, String> names = new TreeMap<>(CAPABILITY.notBuilt);
        names.putAll(PARAMETER.notBuilt);
        return names;
    }

    /** As in a sentence. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
