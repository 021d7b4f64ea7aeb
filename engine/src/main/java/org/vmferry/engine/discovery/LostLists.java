package org.vmferry.engine.discovery;

import org.vmferry.spi.option.Provider;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A tool that makes one jar of many keeps one of the files of one name, unless it is told to merge
 * them: of the lists in META-INF/services as well. What the others named is in the jar and is not
 * found, and who that is can't be told. Of vmferry's own the classes are known, so their loss
 * shows.
 */
final class LostLists {
    private static final String CURE =
            "merge META-INF/services (maven-shade-plugin: ServicesResourceTransformer; Gradle's"
                    + " Shadow: mergeServiceFiles)";

    private LostLists() {}

    /**
     * What stands for those that nobody can name.
     *
     * @param unlisted vmferry's own that are there, and in no list
     * @return empty if they are not in one jar with the engine: then it is no loss
     */
    static Optional<RejectedPlugin> with(List<Plugin> unlisted) {
        String jar = oneJar().orElse("");
        String lists =
                unlisted.stream()
                        .filter(plugin -> plugin.location().equals(jar))
                        .map(
                                plugin ->
                                        "META-INF/services/%s does not name %s"
                                                .formatted(
                                                        plugin.kind().type().getName(),
                                                        plugin.provider().getClass().getName()))
                        .collect(Collectors.joining(", and "));
        if (lists.isEmpty()) return Optional.empty();
        String sentence =
                "%s: its %s, which is there: such lists were lost as one jar was made of many, and other people's plug-ins with theirs: %s"
                        .formatted(jar, lists, CURE);
        return Optional.of(RejectedPlugin.file(jar, null, sentence));
    }

    /** Why something of other people's may be missing where no loss shows. */
    static String perhaps() {
        String advice = "; if it is in %s, that jar has lost the list that names it: " + CURE;
        return oneJar().map(advice::formatted).orElse("");
    }

    /** The place that both spi and engine have, which are two jars. */
    private static Optional<String> oneJar() {
        String engine = Places.of(LostLists.class);
        return engine.equals(Places.of(Provider.class)) ? Optional.of(engine) : Optional.empty();
    }
}
