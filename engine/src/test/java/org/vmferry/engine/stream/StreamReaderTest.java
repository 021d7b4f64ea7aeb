package org.vmferry.engine.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.Bytes;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.migration.LifeCycle;
import org.vmferry.engine.migration.MigrationSession;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.IncomingFile;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

class StreamReaderTest {
    static final Session SESSION =
            new MigrationSession(
                    LifeCycle.Role.RECEIVES,
                    "test",
                    Options.DEFAULTS,
                    new UUID(0, 0),
                    Optional.empty(),
                    0);

    private static final byte[] RUNNING = GlobalState.encode(RunState.RUNNING);

    /** A device whose state is a number; it reads versions 2 and 3. */
    private static class Number implements DeviceState {
        int value;

        @Override
        public String id() {
            return "number";
        }

        @Override
        public int version() {
            return 3;
        }

        @Override
        public int oldestVersion() {
            return 2;
        }

        @Override
        public void save(DataOutput out) throws IOException {
            out.writeInt(value);
        }

        @Override
        public void load(DataInput in, int version) throws IOException {
            value = in.readInt();
        }
    }

    @TempDir Path directory;
    private final Number device = new Number();
    private final List<String> heard = new ArrayList<>();
    private StreamIn in;

    private RunState read(Bytes bytes) throws IOException {
        return read(bytes, List.of(device));
    }

    private RunState read(Bytes bytes, List<DeviceState> devices) throws IOException {
        try (StreamIn stream = new StreamIn(new MemoryChannel(bytes.array(), 3))) {
            return read(stream, devices);
        }
    }

    private RunState read(StreamIn stream, List<DeviceState> devices) throws IOException {
        in = stream;
        StreamReader.Handler handler =
                new StreamReader.Handler() {
                    @Override
                    public Map<String, Long> passBlocks(StreamIn in, int pageSize) {
                        return Map.of();
                    }

                    @Override
                    public void begin() {
                        heard.add("begin");
                    }

                    @Override
                    public void ramStart() throws IOException {
                        heard.add("start " + in.u64());
                    }

                    @Override
                    public void ramPart(boolean last) throws IOException {
                        heard.add("part " + in.u64());
                    }

                    @Override
                    public void command(Wire.Command command, int argument) {
                        heard.add(command + " " + argument);
                    }
                };
        return new DeviceReader(SESSION, stream, handler, devices).read(stream.u8()).state();
    }

    private RunState readFile(Bytes bytes) throws IOException {
        return readFile(bytes, List.of(device));
    }

    private RunState readFile(Bytes bytes, List<DeviceState> devices) throws IOException {
        Path file = Files.write(directory.resolve("stream"), bytes.array());
        try (IncomingFile end =
                        new LocalFileTransport()
                                .incoming(Address.parse("file:" + file), Options.DEFAULTS);
                StreamIn stream = new FileStreamIn(end)) {
            return read(stream, devices);
        }
    }

    private void refused(Bytes bytes, String... parts) {
        refused(() -> read(bytes), parts);
    }

    private static void refused(ThrowingCallable reading, String... parts) {
        assertThatThrownBy(reading)
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.PEER))
                .hasMessageContainingAll(parts);
    }

    /** START, PART, END of a section with id 1: 30 + 18 + 18 bytes. */
    private static Bytes ram() {
        Bytes bytes = new Bytes().ramStart(1).u64(10).footer(1);
        return bytes.u8(2).u32(1).u64(11).footer(1).u8(3).u32(1).u64(12).footer(1);
    }

    private static byte[] number(int value) {
        return Bytes.counted(new Bytes().u32(value).array());
    }

    @Test
    @Tag("STR-3")
    @Tag("STR-4")
    @Tag("STR-6")
    @Tag("STR-7")
    @Tag("STR-8")
    @Tag("STR-12")
    void readsAllInOrder() throws IOException {
        Bytes stream = new Bytes().u8(8).u16(2).u16(4).u32(99).raw(ram().array());
        stream.u8(8).u16(11).u16(0).full(2, "number", 0, 2, number(77));
        stream.full(3, "globalstate", 0, 1, GlobalState.encode(RunState.PAUSED));
        RunState state = read(stream.description("{}").raw(20, 0xff));
        assertThat(state).isEqualTo(RunState.PAUSED);
        assertThat(heard)
                .containsExactly(
                        "PING 99", "begin", "start 10", "part 11", "part 12", "SWITCHOVER_START 0");
        assertThat(device.value).isEqualTo(77);
    }

    @Test
    @Tag("STR-8")
    @Tag("STR-11")
    void aMissingDescriptionOrRunStateIsNoError() throws IOException {
        assertThat(read(ram().full(2, "number", 0, 3, number(1)).u8(0)))
                .isEqualTo(RunState.RUNNING);
        heard.clear();
        read(ram().full(2, "number", 0, 3, number(1)).u8(0).raw(9, 0x11));
    }

    @Test
    @Tag("STR-4")
    void aSectionMayStandBeforeRam() throws IOException {
        read(new Bytes().full(7, "number", 0, 3, number(5)).raw(ram().array()).u8(0));
        assertThat(device.value).isEqualTo(5);
    }

    @Test
    @Tag("STR-8")
    void aDescriptionCutShortIsAnErrorInAFile() {
        Bytes stream = ram().full(2, "number", 0, 3, number(1)).u8(0, 6).u32(100).text("{");
        refused(() -> readFile(stream), "ends at", "99 bytes short");
        Bytes large = ram().full(2, "number", 0, 3, number(1)).u8(0, 6).u32(-1);
        refused(() -> readFile(large), "VMDESCRIPTION at", "4294967295", "allowed are 16777216");
    }

    @Test
    @Tag("STR-8")
    void onAChannelNothingBehindTheEndIsWaitedFor() throws IOException {
        Bytes stream = ram().full(2, "number", 0, 3, number(1)).u8(0, 6).u32(100).text("{");
        assertThat(read(stream)).isEqualTo(RunState.RUNNING);
        assertThat(in.received()).isLessThan(stream.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 6, 7, 9, 0x7e, 0xff})
    @Tag("STR-5")
    void unknownPartsAreNamed(int mark) {
        Bytes stream = ram();
        int at = stream.size();
        refused(stream.u8(mark), "unknown part 0x%02x at %d".formatted(mark, at));
    }

    @Test
    @Tag("STR-3")
    void onlyRamSpansTheRun() {
        refused(new Bytes().u8(1).u32(1).str8("disk").u32(0).u32(4), "'disk'", "at 0");
        refused(new Bytes().u8(1).u32(1).str8("ram").u32(1).u32(4), "instance 1", "at 0");
        refused(new Bytes().u8(1).u32(1).str8("ram").u32(0).u32(3), "version 3", "must be 4");
        refused(new Bytes().ramStart(-1), "section id 4294967295 at 0");
        refused(ram().ramStart(2), "a second RAM section at 66");
        refused(ram().u8(2).u32(1), "goes on at 66 after its end");
        refused(new Bytes().u8(2).u32(-1).u64(0), "unknown section at 0: id 4294967295");
        refused(new Bytes().ramStart(1).u64(1).footer(1).u8(2).u32(9), "unknown section at 30");
    }

    @Test
    @Tag("STR-7")
    void footersAndTheEndAreChecked() {
        refused(new Bytes().ramStart(1).u64(10).u8(2), "no footer but 0x02 at 25", "section 1");
        refused(new Bytes().ramStart(1).u64(10).footer(2), "footer at 25", "2, must be 1");
        refused(new Bytes().u8(0), "ends at 0 without a RAM section");
        refused(new Bytes().ramStart(1).u64(1).footer(1).u8(0), "before the RAM section does");
        refused(ram(), "the stream ends at 66");
    }

    /** As background-snapshot leaves it: here a guest would begin at once. */
    @Test
    @Tag("STR-21")
    void ramWithoutAnEndIsForWhoKeepsSectionsAlone() {
        Bytes bytes = new Bytes().ramStart(1).u64(10).footer(1).u8(2).u32(1).u64(11).footer(1);
        bytes.u8(0);
        refused(() -> read(bytes, List.of()), "without the end of RAM", "vmferry convert");
        refused(() -> readFile(bytes, List.of()), "without the end of RAM", "vmferry convert");
        Bytes none = new Bytes().ramStart(1).u64(10).footer(1).u8(0);
        refused(() -> readFile(none, List.of()), "before the RAM section does");
    }

    /** A source with more capabilities says so; what it says is not needed. */
    @Test
    @Tag("STR-6")
    void anAdviceIsPassedOver() throws IOException {
        Bytes bytes = new Bytes().u8(8).u16(3).u16(16).u64(1).u64(2).u8(8).u16(2).u16(4).u32(7);
        refused(() -> read(bytes.u8(0), List.of()), "without a RAM section");
        assertThat(heard).contains("PING 7");
    }

    @Test
    @Tag("STR-6")
    void commandsAreChecked() {
        refused(new Bytes().u8(8).u16(12).u16(0), "unknown command 12 at 0");
        refused(new Bytes().u8(8).u16(0).u16(0), "unknown command 0 at 0");
        refused(new Bytes().u8(8).u16(2).u16(3), "PING", "length 3", "must be 4");
        refused(new Bytes().u8(8).u16(1).u16(65535), "OPEN_RETURN_PATH", "65535", "must be 0");
        refused(new Bytes().u8(8).u16(3).u16(1), "POSTCOPY_ADVISE", "length 1", "must be 16");
        for (int number = 4; number <= 10; number++) {
            refused(new Bytes().u8(8).u16(number).u16(0), "at 0", "not built");
        }
    }

    @Test
    @Tag("STR-12")
    void devicesAreChecked() {
        int at = ram().size() + 1 + 4 + 7 + 8;
        refused(ram().u8(0), "nothing for device 'number' instance 0");
        refused(ram().full(2, "other", 0, 3), "no device 'other' instance 0");
        refused(ram().full(2, "number", 1, 3), "no device 'number' instance 1");
        refused(ram().full(2, "number", 0, 1), "version 1", "2 to 3", "at " + at);
        refused(ram().full(2, "number", 0, 4), "version 4", "2 to 3");
        refused(ram().full(2, "number", 0, -1), "version 4294967295", "2 to 3");
        Bytes twice = ram().full(2, "number", 0, 3, number(1)).full(3, "number", 0, 3, number(1));
        refused(twice, "comes twice");
        refused(ram().full(2, "number", 0, 3, Bytes.counted(new byte[3])), "more than the 3");
        refused(ram().full(2, "number", 0, 3, Bytes.counted(new byte[6])), "left 2 of the 6");
        Bytes huge = ram().u8(4).u32(2).str8("number").u32(0).u32(3);
        refused(huge.u32(-1), "4294967295 bytes", "allowed are 16777216", "at " + at);
    }

    @Test
    @Tag("STR-11")
    void theRunStateIsChecked() {
        Bytes one = ram().full(2, "number", 0, 3, number(1));
        refused(new Bytes().raw(one.array()).full(3, "globalstate", 0, 2, RUNNING), "version 2");
        refused(new Bytes().raw(one.array()).full(3, "globalstate", 1, 1, RUNNING), "instance 1");
        Bytes twice = new Bytes().raw(one.array()).full(3, "globalstate", 0, 1, RUNNING);
        refused(twice.full(4, "globalstate", 0, 1, RUNNING), "comes twice");
        for (int length : new int[] {0, 1, 33, -1}) {
            byte[] bad = ByteBuffer.wrap(RUNNING.clone()).putInt(0, length).array();
            refused(
                    new Bytes().raw(one.array()).full(3, "globalstate", 0, 1, bad),
                    "length " + Integer.toUnsignedString(length),
                    "2 to 32");
        }
        byte[] unknown = RUNNING.clone();
        unknown[4] = 'R';
        refused(
                new Bytes().raw(one.array()).full(3, "globalstate", 0, 1, unknown),
                "unknown run state 'Running'");
    }

    @Test
    @Tag("STR-11")
    void everyRunStateComesBack() throws IOException {
        for (RunState state : RunState.values()) {
            byte[] payload = GlobalState.encode(state);
            assertThat(payload).hasSize(104);
            assertThat(payload[36]).isEqualTo((byte) 1);
            assertThat(GlobalState.decode(ByteBuffer.wrap(payload), 0)).isEqualTo(state);
        }
    }

    @Test
    @Tag("STR-12")
    void whoseFaultADevicesFailureIs() {
        Bytes stream = ram().full(2, "number", 0, 3, number(1)).u8(0);
        DeviceState nonsense =
                new Number() {
                    @Override
                    public void load(DataInput in, int version) throws IOException {
                        throw new IOException("3 is no colour");
                    }
                };
        assertThatThrownBy(() -> read(stream, List.of(nonsense)))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.PEER))
                .hasMessageContaining("3 is no colour");
        DeviceState broken =
                new Number() {
                    @Override
                    public void load(DataInput in, int version) {
                        throw new IllegalStateException("bug");
                    }

                    @Override
                    public void save(DataOutput out) throws IOException {
                        throw new IOException("no battery");
                    }
                };
        assertThatThrownBy(() -> read(stream, List.of(broken)))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.HOST));
        assertThatThrownBy(() -> Devices.save(List.of(broken)))
                .isInstanceOfSatisfying(
                        MigrationException.class, e -> assertThat(e.blame()).isEqualTo(Blame.HOST))
                .hasMessageContainingAll("'number'", "no battery");
        assertThatThrownBy(() -> Devices.save(List.of(device, new Number())))
                .hasMessageContaining("two devices are named 'number' instance 0");
    }
}
