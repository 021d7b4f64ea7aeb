package org.vmferry.engine.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;
import org.vmferry.engine.discovery.Plugin;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.compression.CompressionProvider.Compressor;
import org.vmferry.spi.compression.CompressionProvider.Decompressor;
import org.vmferry.spi.machine.CpuThrottle;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.List;

class GuardTest {
    /** What a codec does wrong. */
    private static class Codec implements CompressionProvider, Compressor, Decompressor {
        @Override
        public String id() {
            return "rawdeflate";
        }

        @Override
        public int wireMethod() {
            return 20;
        }

        @Override
        public Parameter<Integer> level() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Compressor compressor(int level) throws IOException {
            return this;
        }

        @Override
        public Decompressor decompressor() throws IOException {
            return this;
        }

        @Override
        public int maximumOutput(int length) {
            return length;
        }

        @Override
        public void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket)
                throws IOException {
            target.put(source);
        }

        @Override
        public void decompress(ByteBuffer source, ByteBuffer target) throws IOException {
            while (target.hasRemaining()) target.put(source.get());
        }

        @Override
        public void endPacket(ByteBuffer source) throws IOException {}

        @Override
        public void close() {}
    }

    private static CompressionProvider guarded(Codec codec) {
        return new Plugin(PluginKind.CODEC, "rawdeflate", codec, "/opt/x/codec.jar", List.of(), 20)
                .guarded(CompressionProvider.class);
    }

    private static ByteBuffer bytes(int count) {
        return ByteBuffer.allocate(count);
    }

    private static void fault(Blame blame, String message, ThrowingCallable call) {
        Throwable thrown = catchThrowable(call);
        if (thrown instanceof UncheckedIOException e) thrown = e.getCause();
        assertThat(thrown).isInstanceOf(MigrationException.class).hasMessage(message);
        assertThat(((MigrationException) thrown).blame()).isEqualTo(blame);
    }

    @Test
    void aPlugInThatThrowsIsNamed() {
        Codec codec =
                new Codec() {
                    @Override
                    public void decompress(ByteBuffer source, ByteBuffer target) {
                        decompress(source, target);
                    }

                    @Override
                    public void compress(ByteBuffer source, ByteBuffer target, boolean end) {
                        throw new IllegalStateException("no dictionary");
                    }
                };
        fault(
                Blame.PLUGIN,
                "codec 'rawdeflate' (codec.jar) threw StackOverflowError in decompress",
                () -> guarded(codec).decompressor().decompress(bytes(1), bytes(1)));
        fault(
                Blame.PLUGIN,
                "codec 'rawdeflate' (codec.jar) threw IllegalStateException in compress: no"
                        + " dictionary",
                () -> guarded(codec).compressor(1).compress(bytes(1), bytes(1), true));
    }

    @Test
    void whatTheJvmThrowsInNeedPasses() {
        Codec codec =
                new Codec() {
                    @Override
                    public int wireMethod() {
                        throw new OutOfMemoryError("Java heap space");
                    }
                };
        assertThatThrownBy(() -> guarded(codec).wireMethod()).isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void aCodecsOwnFaultIsNobodyElses() {
        Codec lazy =
                new Codec() {
                    @Override
                    public void compress(ByteBuffer source, ByteBuffer target, boolean end) {
                        target.put(source.get());
                    }

                    @Override
                    public void decompress(ByteBuffer source, ByteBuffer target) {
                        target.put(source.get());
                    }
                };
        CompressionProvider codec = guarded(lazy);
        String who = "codec 'rawdeflate' (codec.jar) ";
        fault(
                Blame.PLUGIN,
                who + "left 7 bytes uncompressed (rule CMP-5)",
                () -> codec.compressor(1).compress(bytes(8), bytes(8), false));
        fault(
                Blame.PLUGIN,
                who + "left 7 bytes of its target empty and threw nothing (rule CMP-7)",
                () -> codec.decompressor().decompress(bytes(8), bytes(8)));
        fault(
                Blame.PLUGIN,
                who + "left 8 bytes of a packet and threw nothing (rule CMP-10)",
                () -> codec.decompressor().endPacket(bytes(8)));
        fault(
                Blame.PLUGIN,
                who + "threw BufferOverflowException in compress",
                () -> guarded(new Codec()).compressor(1).compress(bytes(8), bytes(4), false));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MAX_VALUE})
    void noBufferIsMadeToAnImpossibleSize(int most) {
        Codec codec =
                new Codec() {
                    @Override
                    public int maximumOutput(int length) {
                        return most;
                    }
                };
        fault(
                Blame.PLUGIN,
                "codec 'rawdeflate' (codec.jar) says that 4096 bytes become "
                        + most
                        + " at the most (rule CMP-6)",
                () -> guarded(codec).compressor(1).maximumOutput(4096));
    }

    @Test
    void anExceptionWithoutATypeIsNoLostLink() {
        Codec codec =
                new Codec() {
                    @Override
                    public void compress(ByteBuffer source, ByteBuffer target, boolean end)
                            throws IOException {
                        throw new IOException("no room");
                    }

                    @Override
                    public void decompress(ByteBuffer source, ByteBuffer target)
                            throws IOException {
                        throw new IOException("bad block");
                    }
                };
        fault(
                Blame.PLUGIN,
                "codec 'rawdeflate' (codec.jar): java.io.IOException: no room",
                () -> guarded(codec).compressor(1).compress(bytes(8), bytes(4), false));
        fault(
                Blame.PEER,
                "codec 'rawdeflate' (codec.jar): java.io.IOException: bad block",
                () -> guarded(codec).decompressor().decompress(bytes(8), bytes(4)));
    }

    private static Channel channel(int said, int moved) {
        Channel raw =
                (Channel)
                        Proxy.newProxyInstance(
                                GuardTest.class.getClassLoader(),
                                new Class<?>[] {Channel.class},
                                (proxy, method, arguments) -> {
                                    if (!(arguments[0] instanceof ByteBuffer buffer)) return null;
                                    buffer.position(buffer.position() + moved);
                                    return said;
                                });
        return Guard.host(Channel.class, raw, "the channel of fd:7");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 0", "5 4", "9 8", "-1 3", "-2 0"})
    void aChannelThatDoesNotDoWhatItSays(String both) {
        int said = Integer.parseInt(both.split(" ")[0]);
        int moved = Integer.parseInt(both.split(" ")[1]);
        MigrationException fault =
                catchThrowableOfType(
                        MigrationException.class, () -> channel(said, moved).read(bytes(8)));
        assertThat(fault.blame()).isEqualTo(Blame.HOST);
        assertThat(fault)
                .hasMessageStartingWith("the channel of fd:7 (")
                .hasMessageEndingWith(
                        "says in read that it moved %d bytes of 8, and moved %d: at least one is"
                                + " promised",
                        said, moved);
    }

    @Test
    void anEndIsNoFault() throws IOException {
        assertThat(channel(-1, 0).read(bytes(8))).isEqualTo(-1);
        assertThat(channel(0, 0).read(bytes(0))).isZero();
        assertThatThrownBy(() -> channel(-1, 0).write(bytes(8))).hasMessageContaining("in write");
    }

    @Test
    void anInterruptThatIsLeftBehindIsDropped() {
        CpuThrottle rude =
                Guard.host(
                        CpuThrottle.class,
                        percent -> Thread.currentThread().interrupt(),
                        "the CPU throttle");
        rude.set(1);
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void anInterruptOfTheCallersIsKept() {
        CpuThrottle calm = Guard.host(CpuThrottle.class, percent -> {}, "the CPU throttle");
        Thread.currentThread().interrupt();
        calm.set(1);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void whatIsDeclaredPasses() {
        MigrationNotifier strict =
                new MigrationNotifier() {
                    @Override
                    public String id() {
                        return "strict";
                    }

                    @Override
                    public void notify(MigrationEvent event) throws MigrationVeto {
                        throw new MigrationVeto("backups run");
                    }
                };
        MigrationNotifier guarded =
                new Plugin(PluginKind.NOTIFIER, "strict", strict, "here", List.of(), 0)
                        .guarded(MigrationNotifier.class);
        assertThatThrownBy(() -> guarded.notify(null)).isInstanceOf(MigrationVeto.class);
    }

    @Test
    void whatEndsThrowsNothing() throws IOException {
        Codec codec =
                new Codec() {
                    @Override
                    public void close() {
                        throw new NoClassDefFoundError("gone");
                    }
                };
        guarded(codec).compressor(1).close();
        guarded(codec).decompressor().close();
    }

    @Test
    void aNameThatThrowsIsTheHostsFault() {
        RamProvider ram =
                Guard.host(
                        RamProvider.class,
                        () ->
                                List.of(
                                        (RamBlock)
                                                Proxy.newProxyInstance(
                                                        GuardTest.class.getClassLoader(),
                                                        new Class<?>[] {RamBlock.class},
                                                        (proxy, method, arguments) -> {
                                                            throw new IllegalStateException("id");
                                                        })),
                        "the RAM");
        assertThatThrownBy(ram::blocks)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("threw IllegalStateException in blocks: id");
    }

    @Test
    void whatIsMissingIsTheHostsFault() {
        Machine machine = Mockito.mock(Machine.class);
        Mockito.when(machine.devices()).thenReturn(Collections.singletonList(null));
        String who = "the machine (" + machine.getClass().getName() + ") ";
        Machine guarded = (Machine) Guard.over(machine);
        fault(Blame.HOST, who + "gave a null among what devices gives", guarded::devices);
        fault(Blame.HOST, who + "gave nothing (null) from type", guarded::type);

        RamBlock block = Mockito.mock(RamBlock.class);
        Mockito.when(block.memory()).thenReturn(null);
        RamBlock guardedBlock = Guard.host(RamBlock.class, block, "the RAM");
        String whose = "the RAM (" + block.getClass().getName() + ") gave nothing (null) from ";
        fault(Blame.HOST, whose + "id", guardedBlock::id);
        fault(Blame.HOST, whose + "memory", guardedBlock::memory);
    }

    @Test
    void aMessageThatThrowsIsLeftOut() {
        CpuThrottle throttle =
                Guard.host(
                        CpuThrottle.class,
                        percent -> {
                            throw new IllegalStateException() {
                                private static final long serialVersionUID = 1L;

                                @Override
                                public String getMessage() {
                                    throw new IllegalStateException("again");
                                }
                            };
                        },
                        "the CPU throttle");
        assertThatThrownBy(() -> throttle.set(1))
                .hasMessageContaining("the CPU throttle (")
                .hasMessageContaining("in set");
    }
}
