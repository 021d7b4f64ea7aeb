package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.testkit.conformance.MachineConformance;

import java.io.DataInput;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Machines that break a rule each. */
class MachineTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(MachineTwinsTest.class, MachineConformance.class);
    }

    abstract static class Suite extends MachineConformance {
        @Override
        protected abstract Machine machine();

        @Override
        protected Duration patience() {
            return Duration.ofSeconds(8);
        }
    }

    @Breaks("MCH-1")
    static class ForgetsItsType extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private int asked;

                @Override
                public String type() {
                    return ++asked == 4 ? "" : super.type();
                }
            };
        }
    }

    @Breaks("MCH-2")
    static class CallsItPaused extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public RunState runState() {
                    RunState state = super.runState();
                    return state == RunState.POSTMIGRATE ? RunState.PAUSED : state;
                }
            };
        }
    }

    @Breaks("MCH-3")
    static class RunsOnWhenPaused extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private boolean pausing;
                private int pauses;

                @Override
                public void enter(RunState next) {
                    pausing = next == RunState.PAUSED && ++pauses > 1;
                    super.enter(next);
                }

                @Override
                void halt() {
                    if (!pausing) super.halt();
                }
            };
        }
    }

    /** Does not start its CPU in one case. */
    private static class Lazy extends ToyMachine {
        private final RunState after;

        Lazy(RunState after) {
            this.after = after;
        }

        @Override
        void start() {
            if (runState() != after) super.start();
        }
    }

    @Breaks("MCH-4")
    static class StaysPaused extends Suite {
        @Override
        protected Machine machine() {
            return new Lazy(RunState.PAUSED);
        }
    }

    @Breaks("MCH-5")
    static class HasMoreDevicesWhenItRuns extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public List<DeviceState> devices() {
                    return runState() == RunState.RUNNING
                            ? List.of(new Counter("counter"), new Counter("other"))
                            : super.devices();
                }
            };
        }
    }

    @Breaks("MCH-6")
    static class ChangesWhenItIsPaused extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public void enter(RunState next) {
                    super.enter(next);
                    if (next == RunState.PAUSED) count++;
                }
            };
        }
    }

    /** A log over the machine's own. */
    private static class Log implements DirtyLog {
        final DirtyLog real;

        Log(DirtyLog real) {
            this.real = real;
        }

        @Override
        public void start() {
            real.start();
        }

        @Override
        public void stop() {
            real.stop();
        }

        @Override
        public void harvest(RamBlock block, PageBitmap into) {
            real.harvest(block, into);
        }
    }

    @Breaks({"MCH-7", "MCH-10", "MCH-11"})
    static class ForgetsWhatWasWritten extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public Optional<DirtyLog> dirtyLog() {
                    return Optional.of(
                            new Log(marks) {
                                @Override
                                public void harvest(RamBlock block, PageBitmap into) {}
                            });
                }
            };
        }
    }

    /** Its CPU stops when logging does, as far as is asked. */
    private static class StopsWithLog extends ToyMachine {
        private final DirtyLog log =
                new Log(marks) {
                    private int stops;

                    @Override
                    public void stop() {
                        super.stop();
                        if (stops++ == 0) halt();
                    }
                };

        @Override
        public Optional<DirtyLog> dirtyLog() {
            return Optional.of(log);
        }
    }

    @Breaks(value = "MCH-8", maybe = "MCH-14")
    static class StopsWithItsLog extends Suite {
        @Override
        protected Machine machine() {
            return new StopsWithLog();
        }
    }

    @Breaks({"MCH-8", "MCH-9", "MCH-14"})
    static class NeverGoesOn extends Suite {
        @Override
        protected Machine machine() {
            return new StopsWithLog() {
                @Override
                void start() {
                    if (runState() != RunState.FINISH_MIGRATE) super.start();
                }
            };
        }
    }

    @Breaks(
            value = "MCH-9",
            maybe = {"MCH-8", "MCH-14"})
    static class StaysStopped extends Suite {
        @Override
        protected Machine machine() {
            return new Lazy(RunState.FINISH_MIGRATE);
        }
    }

    @Breaks("MCH-10")
    static class LogsOnce extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private final DirtyLog once =
                        new Log(marks) {
                            private int starts;

                            @Override
                            public void start() {
                                starts++;
                                super.start();
                            }

                            @Override
                            public void harvest(RamBlock block, PageBitmap into) {
                                if (starts < 2) super.harvest(block, into);
                            }
                        };

                @Override
                public Optional<DirtyLog> dirtyLog() {
                    return Optional.of(once);
                }
            };
        }
    }

    @Breaks("MCH-11")
    static class IsOverAfterASnapshot extends Suite {
        @Override
        protected Machine machine() {
            return new Lazy(RunState.POSTMIGRATE);
        }
    }

    @Breaks({"MCH-6", "MCH-7", "MCH-10", "MCH-11", "MCH-12"})
    static class StartsTooEarly extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public RamTarget ramTarget() {
                    start();
                    return super.ramTarget();
                }

                @Override
                public List<DeviceState> devices() {
                    return List.of(
                            new Counter("counter") {
                                @Override
                                public void load(DataInput in, int version) throws IOException {
                                    super.load(in, version);
                                    long loaded = count;
                                    while (count == loaded) LockSupport.parkNanos(200_000);
                                }
                            });
                }
            };
        }
    }

    @Breaks("MCH-13")
    static class SharesACounter extends Suite {
        private final AtomicLong machines = new AtomicLong();
        private ToyMachine first;

        @Override
        protected Machine machine() {
            ToyMachine made =
                    new ToyMachine() {
                        @Override
                        void count() {
                            super.count();
                            if (first != this && first.runState() == RunState.PRELAUNCH)
                                first.count++;
                        }
                    };
            if (machines.getAndIncrement() == 0) first = made;
            return made;
        }
    }
}
