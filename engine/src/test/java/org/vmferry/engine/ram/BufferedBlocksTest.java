package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.argThat;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.stream.FileStreamIn;
import org.vmferry.engine.stream.FileStreamOut;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamOut;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.carrier.PageCarrier.Sender;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout.Loader;
import org.vmferry.spi.layout.FileLayout.Saver;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.RamTarget;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

class BufferedBlocksTest {
    private static final int PAGE = 4096;

    private final MemorySegment memory = Arena.ofAuto().allocate(4 * PAGE, PAGE);
    private final RamBlock block = RamBlock.of("pc.ram", memory, PAGE);

    @Test
    void whereLooksAreDearPagesAreCopied() {
        RamBlock buffered = new BufferedBlocks(_ -> true).of(new ItsMemoryAlone(block));
        assertThat(buffered.memory()).isEmpty();
        assertThat(buffered.id()).isEqualTo("pc.ram");
        MemorySegment page = Arena.ofAuto().allocate(PAGE).fill((byte) 7);
        buffered.write(PAGE, page);
        assertThat(memory.get(ValueLayout.JAVA_BYTE, 2 * PAGE - 1)).isEqualTo((byte) 7);
        MemorySegment read = Arena.ofAuto().allocate(PAGE);
        buffered.read(PAGE, read);
        assertThat(read.mismatch(page)).isEqualTo(-1);
    }

    /** Of a host whose block was never copied before. */
    private static final class ItsMemoryAlone extends ForwardingBlock {
        ItsMemoryAlone(RamBlock real) {
            super(real);
        }

        @Override
        public void read(long offset, MemorySegment target) {
            throw new AssertionError("it has memory");
        }

        @Override
        public void write(long offset, MemorySegment source) {
            throw new AssertionError("it has memory");
        }
    }

    /** As one that is compared does: what is sent is its copy, and not what the guest has since. */
    @Test
    void aBlockMayHaveMemoryAtFirstAlone() {
        boolean[] logged = {false};
        RamBlock compared =
                new ForwardingBlock(block) {
                    @Override
                    public Optional<MemorySegment> memory() {
                        return logged[0] ? Optional.empty() : super.memory();
                    }

                    @Override
                    public void read(long offset, MemorySegment target) {
                        target.fill((byte) 5);
                    }

                    @Override
                    public void write(long offset, MemorySegment source) {
                        throw new AssertionError("written " + offset);
                    }
                };
        RamBlock buffered = new BufferedBlocks(_ -> true).of(compared);
        logged[0] = true;
        MemorySegment page = Arena.ofAuto().allocate(PAGE);
        buffered.read(0, page);
        assertThat(page.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 5);
        assertThatThrownBy(() -> buffered.write(PAGE, page)).hasMessage("written 4096");
    }

    @Test
    void whereTheyAreNotTheyGoAsTheyLie() {
        BufferedBlocks blocks = new BufferedBlocks(_ -> false);
        Run run = new Run(block, 1, 2);
        assertThat(blocks.of(block)).isSameAs(block);
        assertThat(blocks.of(run)).isSameAs(run);
    }

    /** Carriers tell blocks by who they are. */
    @Test
    void aBlockIsAskedOnceAndStaysTheSame() {
        List<RamBlock> asked = new ArrayList<>();
        BufferedBlocks blocks = new BufferedBlocks(asked::add);
        Run first = blocks.of(new Run(block, 0, 1));
        Run next = blocks.of(new Run(block, 1, 3));
        assertThat(next.block()).isSameAs(first.block()).isNotSameAs(block);
        assertThat(next.firstPage()).isEqualTo(1);
        assertThat(next.pages()).isEqualTo(3);
        assertThat(asked).containsExactly(block);
    }

    /** It looks at pages itself, and so does nobody else. */
    @Test
    void withACodecNothingIsAsked() {
        Session session = mock(Session.class);
        when(session.codec()).thenReturn(Optional.of(mock(CompressionProvider.class)));
        RamBlock untouchable = mock(RamBlock.class);
        when(untouchable.id()).thenReturn("pc.ram");
        assertThat(new BufferedBlocks(session).of(untouchable)).isSameAs(untouchable);
        verify(untouchable, never()).memory();
    }

    @Nested
    class AreHandedTo {
        private final Session session = mock(Session.class);
        private final BufferedBlocks dear = new BufferedBlocks(_ -> true);
        private final Run run = new Run(block, 0, 4);

        /** They may tell blocks by who they are. */
        @Test
        void aSaverAsTheBlocksThatWereAnnounced() throws IOException {
            Saver saver = mock(Saver.class);
            try (PlacedOut out =
                    new PlacedOut(mock(FileStreamOut.class), session, saver, 1, dear)) {
                out.block(block);
                out.start(List.of(block));
                out.send(run);
            }
            ArgumentCaptor<RamBlock> announced = ArgumentCaptor.forClass(RamBlock.class);
            verify(saver).block(any(), announced.capture());
            verify(saver).move(argThat(run -> isCopied(run, announced.getValue())), any());
        }

        @Test
        void aCarriersSenderAsTheBlocksThatWereAnnounced() throws IOException {
            Sender sender = mock(Sender.class);
            List<RamBlock> announced = new ArrayList<>();
            doAnswer(call -> announced.addAll(call.getArgument(0))).when(sender).start(any());
            try (CarrierOut out = new CarrierOut(mock(StreamOut.class), session, sender, dear)) {
                out.start(List.of(block));
                out.send(run);
                out.others(run, memory);
            }
            verify(sender, times(2)).send(argThat(run -> isCopied(run, announced.getFirst())));
        }

        /** It reads and writes the memory itself. */
        @Test
        void directIoAsTheyLie() throws IOException {
            Saver saver = mock(Saver.class);
            when(saver.direct()).thenReturn(true);
            try (PlacedOut out =
                    new PlacedOut(mock(FileStreamOut.class), session, saver, 1, dear)) {
                out.block(block);
                out.start(List.of(block));
                out.send(run);
            }
            verify(saver).move(argThat(run -> run.block().memory().isPresent()), any());

            FileStreamIn file = mock(FileStreamIn.class);
            when(file.isDirect()).thenReturn(true);
            BufferedBlocks blocks = new BufferedBlocks(_ -> true);
            Loader loader = mock(Loader.class);
            when(loader.place(any())).thenReturn(Optional.empty());
            try (PlacedIn in = new PlacedIn(file, session, loader, 1, blocks)) {
                RamBlock opened = in.opened(block);
                in.start(List.of(opened));
                assertThat(opened.memory()).isPresent();
            }
        }

        private static boolean isCopied(Run run, RamBlock announced) {
            return run.block() == announced && announced.memory().isEmpty();
        }

        @Test
        void whoBringsPages() {
            try (RamIn placed =
                            new PlacedIn(
                                    mock(FileStreamIn.class),
                                    session,
                                    mock(Loader.class),
                                    1,
                                    dear);
                    RamIn carried =
                            new CarrierIn(
                                    mock(StreamIn.class), session, mock(Receiver.class), dear);
                    RamIn inline = new InlineIn(mock(StreamIn.class), session)) {
                assertThat(placed.opened(block).memory()).isEmpty();
                assertThat(carried.opened(block).memory()).isEmpty();
                assertThat(inline.opened(block)).isSameAs(block);
            }
        }

        /** A look at what is mapped would read it from the file. */
        @Test
        void aLoaderUnlessTheyAreMapped() throws IOException {
            long length = 4 * PAGE;
            FileStreamIn in = mock(FileStreamIn.class);
            when(in.u64()).thenReturn(2 * length | Wire.MEM_SIZE, length, length);
            when(in.str8()).thenReturn("opened", "mapped");
            Options options = mock(Options.class);
            when(options.get(EngineOptions.X_IGNORE_SHARED)).thenReturn(false);
            RamTarget target = mock(RamTarget.class);
            when(target.open(any())).thenReturn(RamBlock.of("opened", memory, PAGE));
            when(target.adopt(any(), any())).thenReturn(RamBlock.of("mapped", memory, PAGE));
            Loader loader = mock(Loader.class);
            doAnswer(
                            call -> {
                                RamTarget opens = call.getArgument(1);
                                opens.open(header("opened"));
                                opens.adopt(header("mapped"), memory);
                                return null;
                            })
                    .when(loader)
                    .open(any(), any());
            Map<BlockHeader, RamBlock> blocks;
            try (PlacedIn placed = new PlacedIn(in, session, loader, 1, dear)) {
                blocks =
                        RamSection.readBlocks(
                                in, PAGE, options, placed, target, new ArrivedPages());
            }
            assertThat(blocks.get(header("opened")).memory()).isEmpty();
            assertThat(blocks.get(header("mapped")).memory()).isPresent();
        }

        private static BlockHeader header(String name) {
            return new BlockHeader(name, 4 * PAGE, PAGE, OptionalLong.empty());
        }
    }
}
