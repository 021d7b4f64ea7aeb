package org.vmferry.engine.ram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.Mockito.doAnswer;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mockito.stubbing.Answer;
import org.vmferry.engine.stream.FileStreamIn;
import org.vmferry.engine.stream.FileStreamOut;
import org.vmferry.spi.doubles.Rams;
import org.vmferry.spi.layout.FileLayout.Loader;
import org.vmferry.spi.layout.FileLayout.Place;
import org.vmferry.spi.layout.FileLayout.Saver;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;
import org.vmferry.spi.session.Session;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What the engine does around a layout's saver and loader. */
@Timeout(60)
class PlacedTest {
    private final RamBlock ram = Rams.block("ram", 4, false);
    private final RamBlock absent = Rams.block("absent", 4, false);
    private final Session session = mock(Session.class);
    private final Loader loader = mock(Loader.class);
    private final Saver saver = mock(Saver.class);
    private final Thread caller = Thread.currentThread();
    private volatile boolean moved;
    private volatile boolean closed;

    /** Moves once the caller waits for it: who does not wait finds nothing moved. */
    private final Answer<Void> move =
            call -> {
                while (caller.getState() != Thread.State.WAITING
                        && caller.getState() != Thread.State.TIMED_WAITING) Thread.onSpinWait();
                moved = true;
                return null;
            };

    private final Answer<Void> close =
            call -> {
                assertThat(Thread.getAllStackTraces().keySet())
                        .noneMatch(thread -> thread.getName().startsWith("placed-"));
                closed = true;
                return null;
            };

    @BeforeEach
    void theyAnswer() throws Exception {
        when(session.name()).thenReturn("placed");
        when(loader.place(ram)).thenReturn(Optional.of(new Place(8, 4096, new PageBitmap(4))));
        when(loader.place(absent)).thenReturn(Optional.empty());
        doAnswer(move).when(loader).move(any(), any());
        doAnswer(move).when(saver).move(any(), any());
        doAnswer(close).when(loader).close();
        doAnswer(close).when(saver).close();
        doAnswer(
                        call -> {
                            call.<Loader.Fetch>getArgument(0).fetch(new Run(ram, 0, 4));
                            return null;
                        })
                .when(loader)
                .pages(any());
    }

    /** With x-ignore-shared a block that has not come is one that the source left out. */
    @Test
    @Tag("MAP-18")
    @Tag("TRL-7")
    void aBlockThatHasAPlaceHasCome() throws Exception {
        try (PlacedIn in = new PlacedIn(mock(FileStreamIn.class), session, loader, 1)) {
            in.start(List.of(ram, absent));
            assertThat(in.places()).containsOnlyKeys("ram");
        }
        verify(session).came(ram);
        verify(session, never()).came(absent);
    }

    @Test
    @Tag("MFD-21")
    void allIsThereWhenThePagesWereRead() throws Exception {
        try (PlacedIn in = new PlacedIn(mock(FileStreamIn.class), session, loader, 2)) {
            in.start(List.of(ram));
            in.pages();
            assertThat(moved).isTrue();
        }
        assertThat(closed).isTrue();
    }

    /** Not so in a load: a page of fresh RAM is known to be zero until it comes. */
    @Test
    @Tag("MFD-21")
    void whatIsKnownToBeZeroIsHandedToNobodyBySaves() throws Exception {
        RamBlock zero =
                new ForwardingBlock(ram) {
                    @Override
                    public boolean isKnownZero(long offset, long bytes) {
                        return true;
                    }
                };
        Set<Thread> movers = ConcurrentHashMap.newKeySet();
        Answer<Void> note =
                call -> {
                    movers.add(Thread.currentThread());
                    return null;
                };
        doAnswer(note).when(saver).move(any(), any());
        doAnswer(note).when(loader).move(any(), any());
        try (PlacedOut out = new PlacedOut(mock(FileStreamOut.class), session, saver, 2)) {
            out.start(List.of(zero));
            out.send(new Run(zero, 0, 4));
            out.endRound();
        }
        assertThat(movers).containsExactly(caller);
        movers.clear();
        doAnswer(
                        call -> {
                            call.<Loader.Fetch>getArgument(0).fetch(new Run(zero, 0, 4));
                            return null;
                        })
                .when(loader)
                .pages(any());
        try (PlacedIn in = new PlacedIn(mock(FileStreamIn.class), session, loader, 2)) {
            in.start(List.of(ram));
            in.pages();
        }
        assertThat(movers).hasSize(1).doesNotContain(caller);
    }

    @Test
    @Tag("MFD-21")
    void allIsInTheFileWhenARoundEnds() throws Exception {
        try (PlacedOut out = new PlacedOut(mock(FileStreamOut.class), session, saver, 2)) {
            out.start(List.of(ram));
            out.send(new Run(ram, 0, 4));
            out.endRound();
            assertThat(moved).isTrue();
        }
        assertThat(closed).isTrue();
    }
}
