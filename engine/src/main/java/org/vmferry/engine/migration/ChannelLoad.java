package org.vmferry.engine.migration;

import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.ram.CarrierIn;
import org.vmferry.engine.ram.InlineIn;
import org.vmferry.engine.ram.RamIn;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Trailer;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.carrier.PageCarrier.Receiver;
import org.vmferry.spi.machine.Migratable;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** From a source that connects, and may want to hear how it went. */
public final class ChannelLoad extends Load {
    private final Acceptor acceptor;
    private final Set<Feature> offered;
    private final ChannelSecurity secure;
    private Warmth warmth;
    private Arrivals arrivals;
    private Channel main;
    private Receiver receiver; // null without a carrier
    private Answers answers; // once the source has opened the return path

    /**
     * A load into a machine, from a source that this listens for already.
     *
     * @param offered what its channels can
     * @param loaded called when all has come, before the machine enters its state
     */
    public ChannelLoad(
            MigrationSession session,
            Migratable machine,
            Route route,
            Acceptor acceptor,
            Set<Feature> offered,
            Runnable loaded)
            throws MigrationException {
        super(session, machine, route, acceptor, loaded);
        this.acceptor = acceptor;
        this.offered = offered;
        this.secure = ChannelSecurity.ofDestination(session);
    }

    @Override
    void load(Stage stage) throws IOException {
        boolean many = offered.contains(Feature.MANY_CHANNELS);
        int magic = route.carrier().map(PageCarrier::channelMagic).orElse(0);
        try (Warmth warm = new Warmth(session);
                Silence silence = new Silence(session);
                Arrivals coming =
                        new Arrivals(
                                session,
                                acceptor,
                                magic,
                                raw -> secure.over(silence.noticed(raw)),
                                many);
                Channel first = coming.main();
                StreamIn stream = new StreamIn(first)) {
            warmth = warm;
            arrivals = coming;
            main = first;
            RunState state;
            try (Quiet _ = new Quiet(session, main, stream)) {
                state = read(stream, stage);
            }
            silence.patient();
            try (Answers.Alive _ = answers == null ? null : answers.alive()) {
                begin(state);
            }
            try (Farewell farewell = new Farewell(session.name(), main, stream)) {
                // The source gives the guest up at this word: it comes when the guest is here.
                if (answers != null) answers.begun();
                farewell.readToTheEnd();
            }
        }
    }

    @Override
    RamIn ram(StreamIn in) {
        if (route.carrier().isEmpty()) return new InlineIn(in, session);
        receiver = route.carrier().get().receiver(session);
        return new CarrierIn(in, session, receiver);
    }

    @Override
    void connect(RamIn ram, String machine) throws IOException {
        warmth.await(); // the source's guest still runs
        // Not before: a source that waits for an answer has had it.
        arrivals.admit(receiver);
        super.connect(ram, machine);
        arrivals.admitted();
    }

    @Override
    void begun() throws IOException {
        arrivals.begun();
        if (answers != null && session.options().get(EngineOptions.SWITCHOVER_ACK)) answers.ready();
    }

    @Override
    void command(Wire.Command command, int argument) throws IOException {
        switch (command) {
            case OPEN_RETURN_PATH -> {
                if (!offered.contains(Feature.RETURN_PATH)) throw noReturnPath();
                if (answers != null)
                    throw MigrationException.peer("the return path is opened twice");
                answers = new Answers(session.name(), main);
                life.hears();
                session.onFailure(() -> answers.failed(life.failure()));
            }
            case PING -> {
                if (answers == null) super.command(command, argument);
                else answers.pong(argument);
            }
            default -> super.command(command, argument);
        }
    }

    /** What the source's channels said of its machine is in no section. */
    @Override
    void behind(StreamReader.Whole read) throws IOException {
        UUID met = session.uuid();
        if (machine.uuid().isEmpty() && !met.equals(StreamHeader.NO_UUID))
            contents.keep(List.of(Trailer.fact(met)));
    }

    @Override
    Trailer trailer() {
        return Trailer.NONE;
    }
}
