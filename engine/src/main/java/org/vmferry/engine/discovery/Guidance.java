package org.vmferry.engine.discovery;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Why something that was asked for isn't there, and what to do about it. */
final class Guidance {
    private final List<RejectedPlugin> rejected;

    private final String looked;

    /**
     * Guidance.
     *
     * @param looked where, as {@link Plugins#looked()} says it
     */
    Guidance(List<RejectedPlugin> rejected, String looked) {
        this.rejected = rejected;
        this.looked = looked;
    }

    MigrationException missing(PluginKind kind, String id, List<Plugin> there) {
        Optional<String> artifact = KnownPlugins.artifact(kind, id);
        List<RejectedPlugin> broken =
                rejected.stream().filter(r -> isIt(r, kind, id, artifact)).toList();
        String what = kind.word() + " '" + id + "'";
        if (!broken.isEmpty()) {
            return failure(Blame.PLUGIN, what + " is there, but can't be used: ", broken);
        }
        if (kind == PluginKind.TRANSPORT && id.equals("fd")) {
            return MigrationException.user(
                    "%s is not there: it is for channels that the host registers, and this one has"
                            + " given its engine none",
                    what);
        }
        Optional<String> unbuilt = KnownPlugins.notBuilt(kind, id);
        if (unbuilt.isPresent()) {
            return MigrationException.user(
                    "%s is known, but vmferry has no %s", what, unbuilt.get());
        }
        // One of these may be it: they failed before they could say their name.
        List<RejectedPlugin> nameless =
                rejected.stream()
                        .filter(r -> r.id().isEmpty() && r.kind().orElse(kind) == kind)
                        .toList();
        String advice =
                artifact.map(a -> "add " + a)
                        .orElseGet(
                                () ->
                                        "there is "
                                                + (there.isEmpty()
                                                        ? "none"
                                                        : there.stream()
                                                                .map(Plugin::id)
                                                                .sorted()
                                                                .collect(
                                                                        Collectors.joining(", "))));
        if (nameless.isEmpty()) {
            return new MigrationException(
                    artifact.isPresent() ? Blame.PLUGIN : Blame.USER,
                    what + " is not there: " + advice + looked);
        }
        return failure(
                Blame.PLUGIN,
                what + " is not there: " + advice + looked + "; or it is one that can't be used: ",
                nameless);
    }

    private static boolean isIt(
            RejectedPlugin plugin, PluginKind kind, String id, Optional<String> artifact) {
        if (plugin.id().isPresent()) {
            return plugin.kind().equals(Optional.of(kind)) && plugin.id().get().equals(id);
        }
        if (artifact.isEmpty() || plugin.kind().orElse(kind) != kind) return false;
        return KnownPlugins.isOf(plugin, artifact.get());
    }

    private static MigrationException failure(
            Blame blame, String text, List<RejectedPlugin> plugins) {
        List<Throwable> causes =
                plugins.stream().flatMap(plugin -> plugin.cause().stream()).toList();
        MigrationException failure =
                new MigrationException(
                        blame,
                        text
                                + plugins.stream()
                                        .map(RejectedPlugin::sentence)
                                        .collect(Collectors.joining("; ")),
                        causes.isEmpty() ? null : causes.getFirst());
        causes.stream().skip(1).forEach(failure::addSuppressed);
        return failure;
    }
}
