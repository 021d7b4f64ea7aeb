package org.vmferry.engine.discovery;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Finds out which declared provider a failure of {@code ServiceLoader} is about: it throws without
 * saying from which jar. What its message names is asked first; then which class can't be loaded.
 */
final class Culprits {
    /** Failures that are nobody's in particular, before we stop to ask for more. */
    private static final int SPARE = 8;

    private final List<Places.Declaration> declared;
    private final @Nullable ClassLoader loader; // null of a module layer
    private final Set<String> done = new HashSet<>();
    private int left;

    Culprits(List<Places.Declaration> declared, @Nullable ClassLoader loader) {
        this.declared = List.copyOf(declared);
        this.loader = loader;
        this.left = SPARE + declared.stream().mapToInt(d -> d.providers().size() + 1).sum();
    }

    record Culprit(Optional<String> provider, String location) {}

    /** This provider was instantiated: whatever fails later, it wasn't this one. */
    void clear(String provider) {
        done.add(provider);
    }

    /** Whether there were more failures than things that can fail: a loader that fails for ever. */
    boolean exhausted() {
        return left <= 0;
    }

    Culprit find(Throwable failure) {
        left--;
        String message = String.valueOf(failure.getMessage());
        List<Culprit> open = new ArrayList<>();
        for (Places.Declaration declaration : declared) {
            for (String provider : declaration.providers()) {
                if (!done.contains(provider)) {
                    open.add(new Culprit(Optional.of(provider), declaration.location()));
                }
            }
        }
        if (failure instanceof ServiceConfigurationError) {
            for (Culprit culprit : open) {
                if (names(message, culprit.provider().orElseThrow())) return blame(culprit);
            }
            for (Places.Declaration declaration : declared) {
                if (!declaration.origin().isEmpty() && message.contains(declaration.origin())) {
                    return new Culprit(Optional.empty(), declaration.location());
                }
            }
        }
        for (Culprit culprit : open) {
            if (loader != null && !loads(culprit.provider().orElseThrow())) return blame(culprit);
        }
        return new Culprit(Optional.empty(), "an unknown place");
    }

    private Culprit blame(Culprit culprit) {
        done.add(culprit.provider().orElseThrow());
        return culprit;
    }

    private static boolean names(String message, String provider) {
        return Pattern.compile("(?<![\\w.$])" + Pattern.quote(provider) + "(?![\\w$])")
                .matcher(message)
                .find();
    }

    private boolean loads(String provider) {
        try {
            Class.forName(provider, false, loader);
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /** A failure in words, for a person. */
    static String why(Throwable failure) {
        Throwable root =
                failure instanceof ServiceConfigurationError && failure.getCause() != null
                        ? failure.getCause()
                        : failure;
        return switch (root) {
            case UnsupportedClassVersionError e ->
                    "it was compiled for a newer Java than this %d (%s)"
                            .formatted(Runtime.version().feature(), e.getMessage());
            case NoClassDefFoundError e ->
                    "a class it needs is not there: "
                            + String.valueOf(e.getMessage()).replace('/', '.');
            case Scan.BrokenContract _, ServiceConfigurationError _ ->
                    String.valueOf(root.getMessage());
            default -> "it threw " + root;
        };
    }
}
