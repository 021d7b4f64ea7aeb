package org.vmferry.spi;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;

/** Stands for something thrown whose words could drive a terminal: it says the same, cleaned. */
final class PrintableThrowable extends Exception {
    private static final long serialVersionUID = 1L;

    private PrintableThrowable(Throwable of, Set<Throwable> within) {
        super(Printable.line(said(of).orElse(of.getClass().getName())), copy(cause(of), within));
        setStackTrace(of.getStackTrace());
        for (Throwable beside : of.getSuppressed()) {
            Throwable copy = copy(beside, within);
            if (copy != null) addSuppressed(copy);
        }
    }

    /** Itself if all that it says is printable, down its causes and what was suppressed. */
    static Throwable of(Throwable thrown) {
        return thrown == null || isPrintable(thrown, none()) ? thrown : copy(thrown, none());
    }

    private static boolean isPrintable(Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) return true;
        Optional<String> said = said(thrown);
        if (!said.map(Printable::line).equals(said) || said.isEmpty()) return false;
        if (!isPrintable(cause(thrown), seen)) return false;
        for (Throwable beside : thrown.getSuppressed()) {
            if (!isPrintable(beside, seen)) return false;
        }
        return true;
    }

    /** Empty if to say it fails: that may be a plug-in's code. */
    private static Optional<String> said(Throwable thrown) {
        try {
            return Optional.of(String.valueOf(thrown));
        } catch (RuntimeException | StackOverflowError e) {
            return Optional.empty();
        }
    }

    private static Throwable cause(Throwable thrown) {
        try {
            return thrown.getCause();
        } catch (RuntimeException | StackOverflowError e) {
            return null;
        }
    }

    /** Nothing for what it was met within: causes may go round. */
    private static Throwable copy(Throwable thrown, Set<Throwable> within) {
        if (thrown == null || !within.add(thrown)) return null;
        return new PrintableThrowable(thrown, within);
    }

    private static Set<Throwable> none() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /** Names the class that it stands for. */
    @Override
    public String toString() {
        return getMessage();
    }
}
