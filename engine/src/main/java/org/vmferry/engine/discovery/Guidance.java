package org.vmferry.engine.discovery;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.util.List;
import java.util.Optional;
import java.util.Set;
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
        if (artifact.isPresent()) return add(what, artifact.get(), Set.of(kind));
        String others = there.stream().map(Plugin::id).sorted().collect(Collectors.joining(", "));
        String advice = "there is " + (others.isEmpty() ? "none" : others);
        return notThere(Blame.USER, what, advice, Set.of(kind), LostLists.perhaps());
    }

    /**
     * An option is missing, of one of vmferry's own artifacts.
     *
     * @param what is missing, such as {@code capability 'multifd'}
     */
    MigrationException absent(String what, String artifact) {
        List<RejectedPlugin> broken =
                rejected.stream().filter(r -> KnownPlugins.isOf(r, artifact)).toList();
        if (broken.isEmpty()) return add(what, artifact, KnownPlugins.kinds(artifact));
        return failure(
                Blame.PLUGIN, what + " is of " + artifact + ", which can't be used: ", broken);
    }

    private MigrationException add(String what, String artifact, Set<PluginKind> kinds) {
        String image =
                Places.of(Guidance.class).startsWith("jrt:")
                        ? ", to the image: jlink takes its module %s if --add-modules names it, or with --bind-services"
                                .formatted(KnownPlugins.module(artifact))
                        : "";
        return notThere(Blame.PLUGIN, what, "add " + artifact + image, kinds, "");
    }

    /** One of those that failed before they could say their name may be it. */
    private MigrationException notThere(
            Blame blame, String what, String advice, Set<PluginKind> kinds, String otherwise) {
        List<RejectedPlugin> nameless =
                rejected.stream()
                        .filter(r -> r.id().isEmpty())
                        .filter(r -> r.kind().isEmpty() || kinds.contains(r.kind().get()))
                        .toList();
        String text = what + " is not there: " + advice + looked;
        if (nameless.isEmpty()) return new MigrationException(blame, text + otherwise);
        return failure(Blame.PLUGIN, text + "; or it is one that can't be used: ", nameless);
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
