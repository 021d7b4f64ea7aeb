package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.vmferry.testkit.machine.Rv64.Register.S0;
import static org.vmferry.testkit.machine.Rv64.Register.S1;
import static org.vmferry.testkit.machine.Rv64.Register.S2;
import static org.vmferry.testkit.machine.Rv64.Register.T0;
import static org.vmferry.testkit.machine.Rv64.Register.T1;
import static org.vmferry.testkit.machine.Rv64.Register.ZERO;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.testkit.conformance.MachineConformance;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.Rv64.Branch;
import org.vmferry.testkit.machine.Rv64.Load;
import org.vmferry.testkit.machine.Rv64.OpImm;
import org.vmferry.testkit.machine.Rv64.Store;
import org.vmferry.testkit.machine.Rv64Assembler;

import java.io.DataInput;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
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

    abstract static class Suite extends MachinePartsTest.OfToys {
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

    @Breaks({"MCH-7", "MCH-10", "MCH-11", "MCH-16"})
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

    @Breaks({"MCH-6", "MCH-7", "MCH-10", "MCH-11", "MCH-12", "MCH-15"})
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

    @Breaks("MCH-15")
    static class LeavesItsCounterOut extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public List<DeviceState> devices() {
                    return List.of();
                }
            };
        }
    }

    /** Every test but one is green with it: so it was before there was that one. */
    @Breaks(
            value = "MCH-16",
            maybe = {"MCH-7", "MCH-10", "MCH-11"})
    static class ForgetsOneStoreInAThousand extends Suite {
        @Override
        protected Machine machine() {
            return new ToyMachine() {
                private final AtomicLong stores = new AtomicLong();

                @Override
                void mark(long page) {
                    if (stores.incrementAndGet() % 1000 != 0) super.mark(page);
                }
            };
        }
    }

    /** A reference machine whose devices are told but for one. */
    private abstract static class WithoutADevice extends MachineConformance {
        /** Keeps RAM, the serial port and the timer busy, so that each always has something. */
        private static final byte[] BUSY =
                new Rv64Assembler()
                        .li(S0, 0x8000_0000L)
                        .li(S1, 0x1000_0000L)
                        .li(S2, 0x0200_0000L)
                        .store(Store.SD, S0, 0, S2) // another time than a new machine's
                        .label("loop")
                        .op(OpImm.ADDI, T0, T0, 1)
                        .store(Store.SD, T0, 0, S0)
                        .load(Load.LBU, T1, 5, S1)
                        .op(OpImm.ANDI, T1, T1, 0x20)
                        .branch(Branch.BEQ, T1, ZERO, "loop")
                        .store(Store.SB, T0, 0, S1)
                        .j("loop")
                        .assemble();

        private final Map<Machine, ReferenceMachine> real = new IdentityHashMap<>();

        abstract String leftOut();

        @Override
        protected Machine machine() {
            ReferenceMachine whole = MachinePartsTest.small().program(BUSY).build();
            Machine told =
                    new ForwardingMachine(whole) {
                        @Override
                        public List<DeviceState> devices() {
                            List<DeviceState> devices = new ArrayList<>(super.devices());
                            assertThat(devices.removeIf(d -> d.id().equals(leftOut()))).isTrue();
                            return devices;
                        }
                    };
            real.put(told, whole);
            return told;
        }

        @Override
        protected Optional<?> runFor(Machine machine, long steps) {
            real.get(machine).runFor(steps);
            return Optional.of(real.get(machine).digest());
        }

        @Override
        protected void close(Machine machine) throws Exception {
            super.close(machine);
            real.get(machine).close();
        }
    }

    /** It begins anew from where it always does, and finds a window that it did not write. */
    @Breaks(
            value = "MCH-15",
            maybe = {"MCH-7", "MCH-10", "MCH-11"})
    static class LeavesItsCpuOut extends WithoutADevice {
        @Override
        String leftOut() {
            return "ref-cpu";
        }
    }

    @Breaks("MCH-15")
    static class LeavesItsTimerOut extends WithoutADevice {
        @Override
        String leftOut() {
            return "ref-timer";
        }
    }

    @Breaks("MCH-15")
    static class LeavesItsPortOut extends WithoutADevice {
        @Override
        String leftOut() {
            return "ref-uart";
        }
    }
}
