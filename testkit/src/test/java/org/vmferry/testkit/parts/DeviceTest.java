package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.testkit.conformance.DeviceStateConformance;
import org.vmferry.testkit.machine.ReferenceMachine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** The reference machine's devices, and devices that break one rule each. */
class DeviceTest {
    abstract static class OfTheReferenceMachine extends DeviceStateConformance {
        private final List<ReferenceMachine> machines = new ArrayList<>();

        abstract int number();

        @Override
        protected DeviceState fresh() {
            machines.add(MachinePartsTest.small().build());
            return machines.getLast().devices().get(number());
        }

        @Override
        protected DeviceState used() {
            DeviceState device = fresh();
            machines.getLast().runFor(1_234_567);
            return device;
        }

        @AfterEach
        void close() {
            machines.forEach(ReferenceMachine::close);
        }
    }

    @Nested
    class Cpu extends OfTheReferenceMachine {
        @Override
        int number() {
            return 0;
        }
    }

    @Nested
    class Uart extends OfTheReferenceMachine {
        @Override
        int number() {
            return 1;
        }
    }

    @Nested
    class Timer extends OfTheReferenceMachine {
        @Override
        int number() {
            return 2;
        }
    }

    /** One that its host keeps as bytes: two lambdas make a device of them. */
    @Nested
    class OfBytes extends DeviceStateConformance {
        @Override
        protected DeviceState fresh() {
            return device(new byte[3]);
        }

        @Override
        protected DeviceState used() {
            return device(new byte[] {1, 0, -1});
        }

        private static DeviceState device(byte[] state) {
            return DeviceState.of(
                    "bytes",
                    () -> state,
                    bytes -> {
                        if (bytes.length != state.length) throw new IOException("not its state");
                        System.arraycopy(bytes, 0, state, 0, state.length);
                    });
        }
    }

    /** One that its host keeps as numbers: two lambdas and their names. */
    @Nested
    class OfNumbers extends DeviceStateConformance {
        @Override
        protected DeviceState fresh() {
            return device(0, 0);
        }

        @Override
        protected DeviceState used() {
            return device(Long.MIN_VALUE, 7);
        }

        private static DeviceState device(long pc, long sp) {
            Map<String, Long> numbers = new HashMap<>(Map.of("pc", pc, "sp", sp));
            return DeviceState.ofNumbers("cpu", List.of("pc", "sp"), numbers::get, numbers::put);
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(DeviceTest.class, DeviceStateConformance.class);
    }

    /** A buffer of up to 16 bytes and a number. */
    private static class Device implements DeviceState {
        byte[] buffer = new byte[0];
        int number;

        void use() {
            buffer = new byte[] {1, 2, 3};
            number = 77;
        }

        @Override
        public String id() {
            return "device";
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeInt(buffer.length);
            out.write(buffer);
            out.writeInt(number);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            int length = in.readInt();
            check(length);
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            buffer = bytes;
            number = in.readInt();
        }

        void check(int length) throws IOException {
            if (length < 0 || length > 16) throw new IOException("a buffer of " + length);
        }
    }

    abstract static class Suite extends DeviceStateConformance {
        abstract Device device();

        @Override
        protected DeviceState fresh() {
            return device();
        }

        @Override
        protected DeviceState used() {
            Device device = device();
            device.use();
            return device;
        }
    }

    @Nested
    class Right extends Suite {
        @Override
        Device device() {
            return new Device();
        }
    }

    @Breaks("DEV-1")
    static class TakesTheRamsName extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public String id() {
                    return "ram";
                }
            };
        }
    }

    @Breaks("DEV-2")
    static class OldestIsNone extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public int version() {
                    return 0;
                }
            };
        }
    }

    @Breaks("DEV-3")
    static class CountsItsSaves extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void save(DataOutput out) throws IOException {
                    super.save(out);
                    number++;
                }
            };
        }
    }

    @Breaks("DEV-4")
    static class IsAFrameBuffer extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void save(DataOutput out) throws IOException {
                    super.save(out);
                    out.write(new byte[16 << 20]);
                }

                @Override
                public void load(DataInput in, int version) throws IOException {
                    super.load(in, version);
                    in.readFully(new byte[16 << 20]);
                }
            };
        }
    }

    @Breaks({"DEV-5", "DEV-8"})
    static class LeavesAByte extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void save(DataOutput out) throws IOException {
                    super.save(out);
                    out.writeByte(1);
                }

                @Override
                public void load(DataInput in, int version) throws IOException {
                    super.load(in, version);
                    if (buffer.length == 0) in.readByte(); // else it is left
                }
            };
        }
    }

    @Breaks("DEV-6")
    static class ForgetsItsNumber extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void load(DataInput in, int version) throws IOException {
                    super.load(in, version);
                    if (number == 77) number = 78;
                }
            };
        }
    }

    @Breaks("DEV-7")
    static class KeepsItsBuffer extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void load(DataInput in, int version) throws IOException {
                    byte[] before = buffer;
                    super.load(in, version);
                    if (buffer.length == 0) buffer = before;
                }
            };
        }
    }

    @Breaks("DEV-8")
    static class TakesWhatThereIs extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public void load(DataInput in, int version) throws IOException {
                    try {
                        super.load(in, version);
                    } catch (EOFException e) {
                        number = 0;
                    }
                }
            };
        }
    }

    @Breaks("DEV-9")
    static class TrustsTheLength extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                void check(int length) throws IOException {
                    if (length > 16) throw new IOException("a buffer of " + length);
                }
            };
        }
    }

    /**
     * JUnit lets nothing go on after an OutOfMemoryError that it sees. A true one would take the
     * memory of the other twins.
     */
    @Breaks("DEV-9")
    static class TakesAsMuchMemoryAsItIsTold extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                void check(int length) throws IOException {
                    if (length < 0) throw new IOException("a buffer of " + length);
                    if (length > 1 << 20) throw new OutOfMemoryError("Java heap space");
                }
            };
        }
    }

    /** Devices that hold something: all that were made are closed. */
    static class Holding extends Suite {
        static final AtomicInteger OPEN = new AtomicInteger();

        @Override
        Device device() {
            class Held extends Device implements AutoCloseable {
                @Override
                public void close() {
                    OPEN.decrementAndGet();
                }
            }
            OPEN.incrementAndGet();
            return new Held();
        }
    }

    @Test
    void whatWasMadeIsClosed() {
        assertThat(Twins.failures(Holding.class)).isEmpty();
        assertThat(Holding.OPEN).hasValue(0);
    }

    @Breaks("DEV-10")
    static class ClaimsAnOlderVersion extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public int version() {
                    return 2;
                }

                @Override
                public int oldestVersion() {
                    return 1;
                }
            };
        }
    }

    /** Its names fit as long as its buffer is empty. */
    @Breaks("DEV-11")
    static class NamesItsNumberAlone extends Suite {
        @Override
        Device device() {
            return new Device() {
                @Override
                public List<Field> fields() {
                    return List.of(new Field("length", 4), new Field("number", 4));
                }
            };
        }
    }
}
