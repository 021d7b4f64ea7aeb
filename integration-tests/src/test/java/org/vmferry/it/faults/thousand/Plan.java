package org.vmferry.it.faults.thousand;

import org.vmferry.it.faults.thousand.Way.Link;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A fault, and the migration that it strikes: all that a seed says.
 *
 * @param side whose process, operator, host or plug-in it is about; of a stall or damage the
 *     direction: bytes to this side
 * @param offset how many bytes or calls after the moment it strikes
 * @param chance chooses what depends on the way: which channel, which callback
 */
record Plan(long seed, Way way, Harm harm, Side side, Moment moment, int offset, int chance) {

    private static final int BACK = 16; // bytes: a PONG and SHUT

    /** A seed's plan. */
    static Plan of(long seed) {
        var random = new SplittableRandom(seed * 0x9e37_79b9L);
        boolean late = seed % 5 < 3; // so half of them strike after the pause
        Way way = Way.of(random);
        List<Harm> harms = harms(way, late);
        Harm harm = harms.get(random.nextInt(harms.size()));
        if (harm == Harm.KILL) way = new Way(Link.TCP, way.codec(), false, true, false, false);
        Side side = random.nextInt(2) == 0 ? Side.SOURCE : Side.DESTINATION;
        if (way.link() == Link.SAVE) side = Side.SOURCE;
        if (way.link() == Link.LOAD) side = Side.DESTINATION;
        if (!canBeHarmedBack(way, harm)) side = Side.DESTINATION;
        List<Moment> moments = moments(way, harm, late);
        Moment moment = moments.get(random.nextInt(moments.size()));
        int offset = offset(random, harm, moment);
        boolean back = harm.isOfBytes() && side == Side.SOURCE && !way.link().isFile();
        if (back && !way.tls()) offset %= BACK; // so few bytes come back
        if (!back && !way.link().isFile() && moment.compareTo(Moment.END) > 0) offset = 0;
        return new Plan(seed, way, harm, side, moment, offset, random.nextInt(1000));
    }

    /**
     * Whether bytes to the source can be harmed: some must matter. A bit that is flipped in a
     * SHUT's number is a lie that nobody can tell, unless TLS does.
     */
    private static boolean canBeHarmedBack(Way way, Harm harm) {
        if (!harm.isOfBytes() || way.link().isFile()) return true;
        return harm == Harm.CORRUPT ? way.tls() : way.returnPath();
    }

    private static List<Harm> harms(Way way, boolean late) {
        List<Harm> harms = new ArrayList<>();
        for (Harm harm : Harm.values()) {
            int weight =
                    switch (harm) {
                        case NONE, INTERRUPT, SLEEP -> 0;
                        case CUT_ONE -> way.multifd() && !way.link().isFile() ? 1 : 0;
                        case EXTRA -> way.multifd() && !way.link().isFile() && !late ? 2 : 0;
                        case KILL -> way.link() == Link.TCP ? 1 : 0;
                        case FULL -> way.link() == Link.SAVE ? 4 : 0;
                        case STALL -> way.link().isFile() ? 0 : 1; // a disk has no time-out
                        case THROW, THROW_ERROR -> 2;
                        default -> 2;
                    };
            for (int i = 0; i < weight; i++) harms.add(harm);
        }
        return harms;
    }

    private static List<Moment> moments(Way way, Harm harm, boolean late) {
        if (harm == Harm.EXTRA) return List.of(Moment.SET_UP);
        List<Moment> moments = new ArrayList<>();
        for (Moment moment : Moment.values()) {
            boolean comes =
                    switch (way.link()) {
                        case SAVE ->
                                moment.side == Side.SOURCE
                                        && moment != Moment.END
                                        && moment != Moment.BEHIND_END;
                        case LOAD -> moment.side == Side.DESTINATION;
                        default -> moment != Moment.COMPLETE;
                    };
            // Of bytes that may be damaged hardly one goes forth later.
            if (harm == Harm.CORRUPT && late && !way.link().isFile()) {
                comes &= moment.compareTo(Moment.END) <= 0;
            }
            comes &= moment != Moment.START;
            if (comes && moment.afterPause() == late) moments.add(moment);
        }
        return moments;
    }

    private static int offset(SplittableRandom random, Harm harm, Moment moment) {
        int range =
                switch (harm) {
                    case CUT, CUT_ONE, STALL, CORRUPT, FULL ->
                            switch (moment) {
                                case SET_UP -> random.nextBoolean() ? 400 : 120_000;
                                case ROUNDS, ARRIVES, PAUSED -> 6000;
                                case DEVICES -> 900;
                                default -> 200;
                            };
                    case THROW, THROW_ERROR -> 2;
                    default -> 1;
                };
        return random.nextInt(3) == 0 ? 0 : random.nextInt(range);
    }

    @Override
    public String toString() {
        return "seed %d: %s, %s at %s, %s + %d (%d)"
                .formatted(seed, way, harm, side, moment, offset, chance);
    }
}
