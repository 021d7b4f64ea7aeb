package org.vmferry.it.fuzz;

import org.vmferry.engine.option.Settings;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * A genuine input and what is known of it.
 *
 * @param name for messages
 * @param input as it was made
 * @param structures one for each of its parts
 * @param settings with which it is received
 */
record Sample(String name, Input input, List<Structure> structures, Settings settings) {
    private static final long[] LONGER = {1 << 20, 1L << 30, 64L << 30, 8L << 40, 1L << 62};

    /** A main stream, or a file with one. */
    static Sample stream(String name, byte[] bytes, Settings settings) {
        return of(name, settings, StreamStructure::of, bytes);
    }

    static Sample of(
            String name, Settings settings, Function<byte[], Structure> walk, byte[]... parts) {
        List<Structure> structures = new ArrayList<>();
        for (byte[] part : parts) structures.add(walk.apply(part));
        return new Sample(name, new Input(parts), structures, settings);
    }

    /** This one changed, mostly in one part; what comes into it is another's. */
    Input changed(SplittableRandom random, Sample other) {
        int part = random.nextInt(input.parts().size());
        int from = Math.min(part, other.input.parts().size() - 1);
        byte[] bytes =
                new Mutator(random)
                        .change(
                                input.parts().get(part),
                                structures.get(part),
                                other.input.parts().get(from),
                                other.structures.get(from));
        Input changed = input.with(part, bytes);
        if (random.nextInt(300) > 0) return changed;
        return changed.of(LONGER[random.nextInt(LONGER.length)]);
    }
}
