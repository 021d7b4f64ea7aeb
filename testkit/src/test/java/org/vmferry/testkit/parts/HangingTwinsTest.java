package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.ram.Staging;
import org.vmferry.spi.transport.Channel;
import org.vmferry.testkit.conformance.DeviceStateConformance;
import org.vmferry.testkit.conformance.DirtyLogConformance;
import org.vmferry.testkit.conformance.NotifierConformance;
import org.vmferry.testkit.fault.OneBufferChannel;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** Parts that hang: each suite ends all the same, and says in which method and under which rule. */
class HangingTwinsTest {
    private static final Semaphore NEVER = new Semaphore(0);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    /** On a busy machine one that is as it should be takes some seconds to where another hangs. */
    private static final Duration MIGRATIONS = Duration.ofSeconds(6);

    /** Not even an interrupt ends it. */
    private static void hang() {
        NEVER.acquireUninterruptibly();
    }

    @AfterAll
    static void nothingGoesOnOnceTheyAreLetGo() {
        NEVER.release(10_000);
        long until = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!ours().isEmpty() && System.nanoTime() < until) LockSupport.parkNanos(10_000_000);
        assertThat(ours()).isEmpty();
    }

    private static List<Thread> ours() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().matches("conformance|(send|receive)-.*"))
                .toList();
    }

    @TestFactory
    Stream<DynamicTest> eachEndsAndIsNamed() {
        return Twins.each(
                8, List.of(HangingTwinsTest.class), Says.class, twin -> List.of(), Twins::said);
    }

    abstract static class Hasty extends Tcp {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }
    }

    abstract static class HastyLog extends DirtyLogConformance {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }
    }

    @Says("TRN-9: close() hangs: that of org.vmferry.testkit.parts.HangingTwinsTest$")
    static class AnEndsClose extends Hasty {
        @Override
        Source opener(Source end) {
            return new Source(end) {
                @Override
                public void close() {
                    super.close();
                    hang();
                }
            };
        }
    }

    @Says({
        "TRN-8: read(): 0 into room for 1: ",
        "TRN-9: read(): 0 into room for 1: ",
        "TRN-12: read(): 0 into room for ",
    })
    static class ReadsNothing extends Hasty {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public int read(ByteBuffer target) {
                    return 0;
                }
            };
        }
    }

    @Says({
        "TRN-8: write(): 0 of 1 bytes: ",
        "TRN-9: write(): 0 of 1 bytes: ",
        "TRN-10: write(ByteBuffer[]): 0 of 300000 bytes: ",
        "TRN-12: write(): 0 of 200000 bytes: ",
    })
    static class WritesNothing extends Hasty {
        @Override
        Channel channel(Channel channel) {
            return new OneBufferChannel(channel) {
                @Override
                public int write(ByteBuffer source) {
                    return 0;
                }
            };
        }
    }

    @Says("TRN-21: close() hangs: that of org.vmferry.testkit.parts.HangingTwinsTest$")
    static class AFilesClose extends FileTwins.InFile {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }

        @Override
        Source outgoing(Source end, Path path) {
            return new Source(end) {
                @Override
                public void close() {
                    super.close();
                    hang();
                }
            };
        }
    }

    @Says({
        "NTF-2: notify() hangs: ",
        "NTF-3: notify() hangs: ",
        "NTF-4: notify() hangs: ",
        "NTF-6: a migration hangs: it is * after *, in *notify() of ",
    })
    static class ANotifier extends NotifierConformance {
        @Override
        protected Duration patience() {
            return MIGRATIONS;
        }

        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false) {
                @Override
                public void notify(MigrationEvent event) {
                    hang();
                }
            };
        }
    }

    @Says({"CMP-3: decompress() hangs: ", "CMP-9: decompress() hangs: "})
    static class ADecompressor extends CompressionTwinsTest.Zlib {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }

        @Override
        public Decompressor decompressor() throws IOException {
            return new Inflating() {
                @Override
                public void decompress(ByteBuffer source, ByteBuffer target) {
                    hang();
                }
            };
        }
    }

    @Says({"MEM-4: write() hangs: ", "MEM-6: read(), write(): hang (write() of "})
    static class ABlock extends RamTwinsTest.One {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }

        @Override
        RamBlock block(RamBlock real) {
            return new ForwardingBlock(real) {
                @Override
                public void write(long offset, MemorySegment source) {
                    hang();
                }
            };
        }
    }

    @Says({"DLG-1, DLG-2, DLG-3: harvest() hangs: ", "DLG-6: harvest() hangs: "})
    static class ADirtyLog extends HastyLog {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking() {
                @Override
                public Optional<DirtyLog> dirtyLog() {
                    return Optional.of(
                            new DirtyLog() {
                                @Override
                                public void start() {}

                                @Override
                                public void stop() {}

                                @Override
                                public void harvest(RamBlock block, PageBitmap into) {
                                    hang();
                                }
                            });
                }
            };
        }
    }

    @Says({"DLG-4: close() hangs: ", "DLG-6: close() hangs: "})
    static class AGuestsClose extends HastyLog {
        @Override
        protected int races() {
            return 2;
        }

        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking() {
                @Override
                public void close() {
                    hang();
                }
            };
        }
    }

    @Says({"DLG-1, DLG-2, DLG-3: store: hangs (store() of ", "DLG-6: store() hangs: "})
    static class AStore extends HastyLog {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking() {
                @Override
                public Map<String, DirtyLogConformance.Store> stores() {
                    return Map.of(
                            "CPU",
                            new DirtyLogConformance.Store() {
                                @Override
                                public void store(RamBlock block, long offset, byte value) {
                                    hang();
                                }
                            });
                }
            };
        }
    }

    /** Devices of which one thing hangs. */
    abstract static class ADevice extends DeviceStateConformance {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }

        @Override
        protected DeviceState fresh() {
            return new Device();
        }

        @Override
        protected DeviceState used() {
            return new Device();
        }

        void load() {}

        void closeIt() {}

        class Device implements DeviceState, AutoCloseable {
            @Override
            public String id() {
                return "device";
            }

            @Override
            public void save(DataOutput out) throws IOException {
                out.writeLong(1);
            }

            @Override
            public void load(DataInput in, int version) throws IOException {
                ADevice.this.load();
                in.readLong();
            }

            @Override
            public void close() {
                closeIt();
            }
        }
    }

    @Says({"DEV-5: load() hangs: ", "DEV-9: load(): hangs on nonsense at byte * (load() of "})
    static class ADevicesLoad extends ADevice {
        @Override
        void load() {
            hang();
        }
    }

    @Says({"DEV-1: close() hangs: ", "DEV-5: close() hangs: "})
    static class ADevicesClose extends ADevice {
        @Override
        void closeIt() {
            hang();
        }
    }

    @Says({
        "MCH-2: enter() hangs: ",
        "MCH-9: the migration never came to its switch-over, in *enter() of ",
        "MCH-7: a migration hangs: it is * after *, in *enter() of ",
    })
    static class AMachine extends MachineTwinsTest.Suite {
        @Override
        protected Duration patience() {
            return MIGRATIONS;
        }

        @Override
        protected Machine machine() {
            return new ToyMachine() {
                @Override
                public void enter(RunState next) {
                    super.enter(next);
                    if (next == RunState.FINISH_MIGRATE) hang();
                }
            };
        }
    }

    @Says({"MCH-1: close() hangs: ", "MCH-2: close() hangs: "})
    static class AMachinesClose extends MachineTwinsTest.Suite {
        @Override
        protected Duration patience() {
            return PATIENCE;
        }

        @Override
        protected Machine machine() {
            return new ToyMachine();
        }

        @Override
        protected void close(Machine machine) throws Exception {
            super.close(machine);
            hang();
        }
    }

    @Says({
        "CAR-2: a migration hangs: it is * after *, in *send() of ",
        "CAR-9: a migration hangs: it is * after *, in *send() of ",
    })
    static class ACarrier extends CarrierTest.Suite {
        @Override
        protected Duration patience() {
            return MIGRATIONS;
        }

        @Override
        void send(Run run, PageCarrier.Sender sender) {
            hang();
        }
    }

    @Says("LAY-2: a migration hangs: it is * after *, in *move() of ")
    static class ALayout extends LayoutTest.Suite {
        @Override
        protected Duration patience() {
            return MIGRATIONS;
        }

        @Override
        void write(Run run, Staging staging, Saver saver) {
            hang();
        }
    }
}
