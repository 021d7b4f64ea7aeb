package org.vmferry.spi;

import org.jspecify.annotations.Nullable;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Stands for something thrown whose words could drive a terminal: it says the same, cleaned. */
final class PrintableThrowable extends Exception {
    private static final long serialVersionUID = 1L;

    private PrintableThrowable(Throwable of, Set<Throwable> within) {
        super(
                Printable.line(asked(of::toString).orElse(of.getClass().getName())),
                copy(cause(of), within));
        asked(of::getStackTrace).ifPresent(this::setStackTrace);
        for (Throwable beside : of.getSuppressed()) {
            Throwable copy = copy(beside, within);
            if (copy != null) addSuppressed(copy);
        }
    }

    /** Itself if all that it says is printable, down its causes and what was suppressed. */
    static @Nullable Throwable of(@Nullable Throwable thrown) {
        return thrown == null || isPrintable(thrown, none()) ? thrown : copy(thrown, none());
    }

    private static boolean isPrintable(@Nullable Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) return true;
        Optional<String> said = asked(thrown::toString);
        if (!said.map(Printable::line).equals(said) || said.isEmpty()) return false;
        if (!isPrintable(cause(thrown), seen)) return false;
        for (Throwable beside : thrown.getSuppressed()) {
            if (!isPrintable(beside, seen)) return false;
        }
        return true;
    }

    private static @Nullable Throwable cause(Throwable thrown) {
        return asked(thrown::getCause).orElse(null);
    }

    /** Empty if the answer is null, or fails: that may be a plug-in's code. */
    private static <T> Optional<T> asked(Supplier<@Nullable T> question) {
        try {
            return Optional.ofNullable(question.get());
        } catch (RuntimeException | StackOverflowError e) {
            return Optional.empty();
        }
    }

    /** Nothing for what it was met within: causes may go round. */
    private static @Nullable Throwable copy(@Nullable Throwable thrown, Set<Throwable> within) {
        if (thrown == null || !within.add(thrown)) return null;
        return new PrintableThrowable(thrown, within);
    }

    private static Set<Throwable> none() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /** Names the class that it stands for. */
    @Override
    public String toString() {
        return String.valueOf(getMessage());
    }
}
