package org.vmferry.engine.migration;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vmferry.engine.MigrationState;
import org.vmferry.engine.ram.RamSection;
import org.vmferry.engine.stream.StreamHeader;
import org.vmferry.engine.stream.StreamIn;
import org.vmferry.engine.stream.StreamReader;
import org.vmferry.engine.stream.Wire;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.TransportProvider.Incoming;

import java.io.IOException;
import java.util.List;

/**
 * The destination's side, from the first connection to the machine's start. Runs on the migration
 * thread.
 */
public final class Load implements Work {
    private static final Logger LOG = LoggerFactory.getLogger(Load.class);

    private final MigrationSession session;
    private final Machine machine;
    private final Parts parts;
    private final Incoming end;
    private ReturnPath.Answers answers; // once the source has opened the return path
    private volatile StreamIn in;
    private volatile long total;
    private volatile long receivedBefore;

    /**
     * A load into a machine, from an end that is open already; it is closed when the load is over.
     */
    public Load(MigrationSession session, Machine machine, Parts parts, Incoming end) {
        this.session = session;
        this.machine = machine;
        this.parts = parts;
        this.end = end;
        session.onFailure(end::release);
    }

    @Override
    public void run(Stage stage) throws IOException {
        stage.enter(MigrationState.SETUP);
        try (end) {
            boolean seekable = parts.transport().features().contains(Feature.SEEKABLE);
            if (seekable) fromFile(stage);
            else fromChannels(stage);
        }
    }

    private void fromFile(Stage stage) throws IOException {
        try (StreamIn stream = new StreamIn(end)) {
            machine.enter(read(stream, null, null, stage));
        }
    }

    private void fromChannels(Stage stage) throws IOException {
        try (Arrivals arrivals =
                        new Arrivals(session, end, parts.carrier().channelMagic(), raw -> raw);
                Channel main = arrivals.main();
                StreamIn stream = new StreamIn(main)) {
            try {
                machine.enter(read(stream, main, arrivals, stage));
                // The source gives the guest up at this word: it comes when the guest runs here.
                if (answers != null) answers.shut(0);
            } catch (IOException | RuntimeException | Error e) {
                if (answers != null) tellFailure();
                throw e;
            }
        }
    }

    private void tellFailure() {
        try {
            answers.shut(1);
        } catch (IOException e) {
            LOG.debug("{}: the source could not be told", session.name(), e);
        }
    }

    private void command(Wire.Command command, int argument, Channel main) throws IOException {
        switch (command) {
            case OPEN_RETURN_PATH -> {
                if (main == null || !parts.transport().features().contains(Feature.RETURN_PATH)) {
                    throw MigrationException.peer(
                            "the source wants a return path, which %s has not", parts.address());
                }
                if (answers != null)
                    throw MigrationException.peer("the return path is opened twice");
                answers = new ReturnPath.Answers(main);
            }
            case PING -> {
                if (answers == null) {
                    throw MigrationException.peer("a PING before the return path was opened");
                }
                answers.pong(argument);
            }
            case SWITCHOVER_START -> {}
            default -> throw new IllegalStateException(command + " was let through");
        }
    }

    private RunState read(StreamIn stream, Channel main, PageCarrier.Channels channels, Stage stage)
            throws IOException {
        in = stream;
        try (RamLayout.Loader loader = parts.layout().loader(session);
                PageCarrier.Receiver receiver = parts.carrier().receiver(channels, session)) {
            try {
                return read(stream, main, loader, receiver, stage);
            } catch (IOException | RuntimeException | Error e) {
                // Lets go the carrier's threads, so that its close() can join them.
                session.fail(e);
                throw e;
            }
        } finally {
            in = null;
            receivedBefore = stream.received();
        }
    }

    private RunState read(
            StreamIn stream,
            Channel main,
            RamLayout.Loader loader,
            PageCarrier.Receiver receiver,
            Stage stage)
            throws IOException {
        int[] mark = new int[1];
        Configuration configuration = StreamHeader.read(stream, mark);
        StreamHeader.check(configuration, session.options());
        boolean keeps = machine.sections().isPresent();
        if (keeps) machine.sections().get().keep(configuration);
        else checkMachine(configuration);
        int pageSize = StreamHeader.pageSize(configuration);
        receiver.connect(parts.layout().placed());
        StreamReader.Handler handler =
                new StreamReader.Handler() {
                    @Override
                    public void ramStart() throws IOException {
                        List<BlockHeader> blocks =
                                RamSection.readBlocks(
                                        stream, pageSize, loader, machine.ramTarget(), receiver);
                        for (BlockHeader block : blocks) total += block.usedLength();
                        stage.enter(MigrationState.ACTIVE);
                        loader.section(stream, receiver);
                    }

                    @Override
                    public void ramPart() throws IOException {
                        session.check();
                        loader.section(stream, receiver);
                    }

                    @Override
                    public void command(Wire.Command command, int argument) throws IOException {
                        Load.this.command(command, argument, main);
                    }
                };
        List<DeviceState> devices = keeps ? List.of() : machine.devices();
        RunState state =
                new StreamReader(stream, handler, devices, machine.sections()).read(mark[0]);
        receiver.finish();
        session.commit();
        return state;
    }

    private void checkMachine(Configuration configuration) throws MigrationException {
        if (!configuration.machine().isEmpty() && !configuration.machine().equals(machine.type())) {
            throw MigrationException.user(
                    "the stream is of a machine '%s', this one is '%s'",
                    configuration.machine(), machine.type());
        }
    }

    @Override
    public Progress progress() {
        StreamIn stream = in;
        long received =
                (stream == null ? receivedBefore : stream.received()) + session.channelBytes();
        return new Progress(total, received, 0, 0, 0);
    }
}
