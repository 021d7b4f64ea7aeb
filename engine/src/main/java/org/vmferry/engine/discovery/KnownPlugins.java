package org.vmferry.engine.discovery;

import org.vmferry.spi.Status;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Which artifact has what people ask for by QEMU's names, and which of those nobody has built. */
@Status(Status.Level.INTERNAL)
public final class KnownPlugins {
    /** The engine itself: the built-in transports. */
    public static final String ENGINE = "org.vmferry:vmferry-engine";

    /** Parallel channels, and the zlib codec. */
    public static final String MULTIFD = "org.vmferry:vmferry-plugin-multifd";

    /** The mapped-ram layout. */
    public static final String MAPPED_RAM = "org.vmferry:vmferry-plugin-mappedram";

    /** The zstd codec. */
    public static final String ZSTD = "org.vmferry:vmferry-plugin-compression-zstd";

    private static final Map<PluginKind, Map<String, String>> ARTIFACTS =
            Map.of(
                    PluginKind.TRANSPORT,
                    Map.of(
                            "tcp", ENGINE, "unix", ENGINE, "fd", ENGINE, "exec", ENGINE, "file",
                            ENGINE),
                    PluginKind.LAYOUT,
                    Map.of("mapped-ram", MAPPED_RAM),
                    PluginKind.CARRIER,
                    Map.of("multifd", MULTIFD),
                    PluginKind.CODEC,
                    Map.of("zlib", MULTIFD, "zstd", ZSTD),
                    PluginKind.NOTIFIER,
                    Map.of());

    /** What QEMU has assigned. */
    private static final Map<Integer, String> WIRE_METHODS =
            Map.of(1, "zlib", 2, "zstd", 4, "qpl", 8, "uadk", 16, "qatzip");

    private static final Map<PluginKind, Map<String, String>> NOT_BUILT =
            Map.of(
                    PluginKind.TRANSPORT,
                    Map.of("vsock", "virtual sockets", "rdma", "RDMA"),
                    PluginKind.CODEC,
                    Map.of("qpl", "Intel's QPL", "uadk", "UADK", "qatzip", "Intel's QATzip"));

    private KnownPlugins() {}

    /**
     * Who has it.
     *
     * @param kind what is looked for
     * @param id its name
     * @return group and artifact; empty if it is none of vmferry's own
     */
    public static Optional<String> artifact(PluginKind kind, String id) {
        return Optional.ofNullable(ARTIFACTS.getOrDefault(kind, Map.of()).get(id));
    }

    /**
     * Whether a QEMU has it and vmferry has not.
     *
     * @param kind what is looked for
     * @param id its name
     * @return what it is; empty if a QEMU has no such thing
     */
    public static Optional<String> notBuilt(PluginKind kind, String id) {
        return Optional.ofNullable(NOT_BUILT.getOrDefault(kind, Map.of()).get(id));
    }

    /**
     * Whose a method's number in packets is (rule MFD-6).
     *
     * @param wireMethod 1 to 31
     * @return the codec's id; empty if QEMU has assigned it to nobody
     */
    public static Optional<String> codec(int wireMethod) {
        return Optional.ofNullable(WIRE_METHODS.get(wireMethod));
    }

    /** Classes of the providers that vmferry has beside the engine's. */
    static List<String> providers() {
        return List.of(
                "org.vmferry.multifd.MultifdCarrier",
                "org.vmferry.multifd.ZlibCodec",
                "org.vmferry.mappedram.MappedRamLayout",
                "org.vmferry.zstd.ZstdCodec");
    }

    /** Ids of vmferry's own. */
    static Set<String> ids(PluginKind kind) {
        return ARTIFACTS.getOrDefault(kind, Map.of()).keySet();
    }

    /** What an artifact has. */
    static Set<PluginKind> kinds(String artifact) {
        return ARTIFACTS.entrySet().stream()
                .filter(kind -> kind.getValue().containsValue(artifact))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    /**
     * Whether a plug-in that was left out is one of an artifact's, or stands in its place: by its
     * own name, its package or its jar's name.
     *
     * @param plugin what was left out
     * @param artifact one of those here
     * @return false also where it can't be told
     */
    static boolean isOf(RejectedPlugin plugin, String artifact) {
        String jar = artifact.substring(artifact.indexOf(':') + 1);
        return isCalledAs(plugin, artifact)
                || plugin.provider().orElse("").startsWith(module(artifact) + ".")
                || plugin.location().contains(jar);
    }

    private static boolean isCalledAs(RejectedPlugin plugin, String artifact) {
        if (plugin.kind().isEmpty() || plugin.id().isEmpty()) return false;
        return artifact(plugin.kind().get(), plugin.id().get()).equals(Optional.of(artifact));
    }

    /** An artifact's module, which is called as the package that all of its classes are below. */
    static String module(String artifact) {
        return switch (artifact) {
            case ENGINE -> "org.vmferry.engine";
            case MULTIFD -> "org.vmferry.multifd";
            case MAPPED_RAM -> "org.vmferry.mappedram";
            case ZSTD -> "org.vmferry.zstd";
            default -> throw new IllegalArgumentException(artifact);
        };
    }
}
