package org.vmferry.engine.catalog;

import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** What is wrong with settings: all of it becomes one error. */
final class Conflicts {
    private final List<MigrationException> conflicts = new ArrayList<>();

    void add(String format, Object... arguments) {
        add(MigrationException.user(format, arguments));
    }

    void add(MigrationException conflict) {
        boolean known =
                conflicts.stream().anyMatch(c -> c.getMessage().equals(conflict.getMessage()));
        if (!known) conflicts.add(conflict);
    }

    void throwIfAny() throws MigrationException {
        if (!conflicts.isEmpty()) throw one();
    }

    /**
     * All of them, of which there is at least one. The user's fault, unless all that is wrong is
     * that plug-ins are missing or broken.
     */
    MigrationException one() {
        if (conflicts.size() == 1) return conflicts.getFirst();
        boolean plugins = conflicts.stream().allMatch(c -> c.blame() == Blame.PLUGIN);
        MigrationException all =
                new MigrationException(
                        plugins ? Blame.PLUGIN : Blame.USER,
                        conflicts.stream()
                                .map(Throwable::getMessage)
                                .collect(Collectors.joining("; ")));
        conflicts.forEach(all::addSuppressed);
        return all;
    }
}
