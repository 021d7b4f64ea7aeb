package org.vmferry.engine;

/** Hears what a migration comes to; see {@link Migration#listen}. */
@FunctionalInterface
public interface MigrationListener {
    /**
     * It came to a state.
     *
     * @param state which
     */
    void entered(MigrationState state);

    /**
     * A source begins a round over the dirty pages; the last comes after the switch-over began.
     *
     * @param number counted from 1
     */
    default void round(long number) {}
}
