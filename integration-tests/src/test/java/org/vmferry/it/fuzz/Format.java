package org.vmferry.it.fuzz;

import java.util.List;
import java.util.SplittableRandom;

/** One kind of input, and what is done with it. */
abstract class Format implements AutoCloseable {
    private final String name;
    private final int share;

    /**
     * A format.
     *
     * @param share how many of a run's inputs are of it, in relation to the others'
     */
    Format(String name, int share) {
        this.name = name;
        this.share = share;
    }

    final String name() {
        return name;
    }

    final int share() {
        return share;
    }

    /** Tries what this seed makes. */
    abstract void run(SplittableRandom random, Trial trial) throws Exception;

    /** Lets go what it holds from one input to the next. */
    void settle() throws Exception {
        // Most hold nothing.
    }

    static <T> T one(SplittableRandom random, List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    @Override
    public void close() throws Exception {
        // Most hold nothing.
    }
}
