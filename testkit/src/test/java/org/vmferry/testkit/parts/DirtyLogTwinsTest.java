package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.conformance.DirtyLogConformance;
import org.vmferry.testkit.conformance.DirtyLogConformance.LateStore;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Dirty logs that break a rule each. The first three show in one race, whichever is broken. */
class DirtyLogTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(DirtyLogTwinsTest.class, DirtyLogConformance.class);
    }

    abstract static class Suite extends DirtyLogConformance {
        @Override
        protected abstract Guest guest();
    }

    /** A marking guest whose log is another's, over its own. */
    private abstract static class Twin extends LoggedGuest.Marking implements DirtyLog {
        @Override
        public Optional<DirtyLog> dirtyLog() {
            return Optional.of(this);
        }

        @Override
        public void start() {
            marks.start();
        }

        @Override
        public void stop() {
            marks.stop();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            marks.harvest(block, into);
        }
    }

    @Breaks({"DLG-1", "DLG-2", "DLG-3"})
    static class MarksBeforeTheStore extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                private volatile int harvests;

                @Override
                void store(RamBlock block, long offset, byte value) {
                    int before = harvests;
                    stored(own(block), offset / 4096);
                    // As if the CPU's thread lost its core just now.
                    for (int i = 0; i < 20 && harvests == before; i++)
                        LockSupport.parkNanos(50_000);
                    put(block, offset, value);
                }

                @Override
                public void harvest(RamBlock block, PageBitmap into) {
                    super.harvest(block, into);
                    harvests++;
                }

                @Override
                public Map<String, Store> stores() {
                    return Map.of("CPU", this::store);
                }
            };
        }
    }

    @Breaks({"DLG-1", "DLG-2", "DLG-3"})
    static class ReadsThenClears extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                private volatile int stores;

                @Override
                void stored(RamBlock block, long page) {
                    super.stored(block, page);
                    stores++;
                }

                @Override
                public void harvest(RamBlock block, PageBitmap into) {
                    PageBitmap own = marks.marks(own(block));
                    long[] seen = new long[own.words()];
                    for (int i = 0; i < own.words(); i++) {
                        seen[i] = own.word(i);
                        into.word(i, into.word(i) | seen[i]);
                    }
                    int before = stores;
                    for (int i = 0; i < 4 && stores == before; i++) LockSupport.parkNanos(20_000);
                    for (int i = 0; i < own.words(); i++) if (seen[i] != 0) own.word(i, 0);
                }
            };
        }
    }

    @Breaks({"DLG-1", "DLG-2", "DLG-3"})
    static class LetsTheLastStoreWait extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                private Runnable waiting = () -> {};

                @Override
                synchronized void store(RamBlock block, long offset, byte value) {
                    boolean race = offset % 4096 == 0 && own(block) == blocks.getFirst();
                    waiting.run();
                    waiting = () -> {};
                    // A store that is still in this CPU's buffer when its mark is out.
                    if (race) waiting = () -> put(block, offset, value);
                    else put(block, offset, value);
                    stored(own(block), offset / 4096);
                }
            };
        }
    }

    @Breaks("DLG-4")
    static class ForgetsItsDma extends Suite {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking() {
                @Override
                public Map<String, Store> stores() {
                    return new TreeMap<>(Map.of("CPU", this::store, "DMA", this::put));
                }
            };
        }
    }

    @Breaks("DLG-9")
    @Says("DLG-9*left no mark. Mark it then, not when it is submitted")
    static class MarksWhatIsSubmitted extends Suite {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking() {
                @Override
                public Optional<LateStore> lateStore() {
                    return Optional.of(
                            (block, offset, value) -> {
                                stored(own(block), offset / 4096);
                                return () -> put(block, offset, value);
                            });
                }
            };
        }
    }

    @Breaks("DLG-5")
    static class MarksLater extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                private int late;

                @Override
                public void pause() {
                    super.pause();
                    late = 3; // one harvest for each block, then a mark
                }

                @Override
                public void harvest(RamBlock block, PageBitmap into) {
                    super.harvest(block, into);
                    if (late > 0 && --late == 0) into.set(1);
                }
            };
        }
    }

    @Breaks("DLG-6")
    static class OverwritesWhatIsSet extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                @Override
                public void harvest(RamBlock block, PageBitmap into) {
                    into.clearAll();
                    super.harvest(block, into);
                }
            };
        }
    }

    @Breaks("DLG-7")
    static class ClearsAllBlocks extends Suite {
        @Override
        protected Guest guest() {
            return new Twin() {
                @Override
                public void harvest(RamBlock block, PageBitmap into) {
                    super.harvest(block, into);
                    for (RamBlock other : blocks)
                        if (other != own(block)) marks.marks(other).clearAll();
                }
            };
        }
    }

    @Breaks("DLG-8")
    static class StopsOnlyWhatBeganWhole extends Suite {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Ignorant() {
                @Override
                RamProvider comparing(List<RamBlock> all) {
                    return new Forgetful(all);
                }
            };
        }

        /** Copies a block at a time; only a start that came to its end is stopped. */
        private static final class Forgetful implements RamProvider, DirtyLog {
            private final List<ComparingRam> each;
            private boolean began;

            Forgetful(List<RamBlock> all) {
                each = all.stream().map(block -> new ComparingRam(List.of(block))).toList();
            }

            @Override
            public List<RamBlock> blocks() {
                return each.stream().flatMap(one -> one.blocks().stream()).toList();
            }

            @Override
            public Optional<DirtyLog> dirtyLog() {
                return Optional.of(this);
            }

            @Override
            public void start() {
                each.forEach(ComparingRam::start);
                began = true;
            }

            @Override
            public void stop() {
                if (began) each.forEach(ComparingRam::stop);
                began = false;
            }

            @Override
            public void harvest(RamBlock block, PageBitmap into) {
                for (ComparingRam one : each)
                    if (one.blocks().getFirst().id().equals(block.id())) one.harvest(block, into);
            }
        }
    }
}
