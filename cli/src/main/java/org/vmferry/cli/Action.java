package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.Statistics;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.engine.transport.ScratchFolder;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.OutgoingFile;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;

/** What all commands have: their options, where they write, and how they end. */
abstract class Action implements Callable<Integer> {
    private static final Duration GLANCE = Duration.ofMillis(100);

    @Spec private CommandSpec spec;

    private static final String MIGRATIONS =
            "org.slf4j.simpleLogger.log.org.vmferry.engine.Migration";

    @Option(
            names = {"-q", "--quiet"},
            description = "No progress, no remarks.")
    boolean quiet;

    @Option(
            names = "--debug",
            description = "Log what happens; show a failure with its stack trace.")
    boolean debug;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Say how it is used.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Say which version this is.")
    private boolean version;

    /** Ctrl-C, while {@link #run} runs. */
    Interruption interruption;

    /** What the command found, while {@link #run} runs. */
    private Plugins plugins;

    private Engine engine;

    /** Does the work. Returns when it is done, throws when it failed. */
    abstract void run() throws Exception;

    @Override
    public final Integer call() {
        // Read by slf4j-simple when the engine makes its first logger.
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", debug ? "debug" : "warn");
        // Why it failed, and who has the guest, is said on a line of ours.
        if (!debug) System.setProperty(MIGRATIONS, "error");
        try (var scope = new Interruption(this::remark)) {
            interruption = scope;
            return done();
        }
    }

    /** With what the command ends; why it failed is said by then. */
    private int done() {
        try (var found = find()) {
            plugins = found;
            engine = null;
            run();
            out().flush();
            if (out().checkError()) throw new IOException("standard output could not be written");
            return status();
        } catch (ParameterException e) {
            throw e;
        } catch (Exception e) {
            return Main.failed(e, spec.commandLine());
        }
    }

    /** With what the command ends when {@link #run} returned. */
    int status() {
        return CommandLine.ExitCode.OK;
    }

    private Plugins find() throws MigrationException {
        Optional<Plugins> more = ((Main) spec.root().userObject()).plugins();
        Plugins own = Plugins.discover();
        return more.isPresent() ? own.plus(more.get()) : own;
    }

    /** The built-in plug-ins and those of the folder. */
    final Plugins plugins() {
        return plugins;
    }

    /** Adds one of the command's own, before the engine is asked for. */
    final void use(Provider own) {
        plugins = plugins.plus(own);
    }

    /** The engine with them; says what was left out. */
    final Engine engine() {
        if (engine == null) {
            for (RejectedPlugin rejected : plugins.rejected()) remark(rejected.sentence());
            engine = new Engine(plugins);
        }
        return engine;
    }

    /** Standard output: results only. */
    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Standard error: everything else. */
    final PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /** Says something that is no result. */
    final void remark(String line) {
        if (quiet) return;
        err().println("vmferry: " + Printable.line(line));
        err().flush();
    }

    /** An archive in a directory; names what killed ones left there. */
    final ArchiveMachine archive(Path directory) throws IOException {
        for (Path dead : ScratchFolder.leftIn(directory)) {
            remark(
                    "left by a vmferry that was killed; remove it with: rm -r -- "
                            + Printable.shellWord(dead.toString()));
        }
        return ArchiveMachine.in(directory);
    }

    /**
     * Where a file is to come to be: found out, before anything is read or received, whether it can
     * be written and completed.
     *
     * @return to be closed; not to be completed but by who fills it
     */
    final OutgoingFile place(Path output) throws IOException {
        OutgoingFile place =
                new LocalFileTransport()
                        .outgoing(Address.parse(Snapshot.uri(output, 0)), Options.DEFAULTS);
        try {
            place.reserve(0);
            return place;
        } catch (IOException | RuntimeException | Error e) {
            place.close();
            throw e;
        }
    }

    /** Lets a file appear that has all that it is to have. */
    final void complete(OutgoingFile out) throws IOException {
        interruption.check();
        interruption.cancelBy(out::release);
        out.complete();
    }

    /** Says which RAM a new snapshot lacks. */
    final void remarkMissing(Path snapshot, ArchiveMachine archive) {
        for (String block : archive.missing()) {
            remark(
                    "%s: the RAM of block '%s' is missing: its source left it out as shared memory"
                            .formatted(snapshot, block));
        }
    }

    /** Watches a long work. The launcher knows whether standard error is a terminal. */
    final Progress progress(String what) {
        Terminal terminal = Terminal.here();
        var style =
                quiet
                        ? Progress.Style.NONE
                        : terminal.err() ? Progress.Style.BAR : Progress.Style.LINES;
        return new Progress(err(), style, terminal.width(), what, System::nanoTime);
    }

    /** Shows a migration's progress until it is done; Ctrl-C ends it. */
    final Statistics follow(Migration migration, String what)
            throws MigrationException, InterruptedException {
        watch(migration, what, () -> false);
        migration.await();
        return migration.statistics();
    }

    /** What a line about a snapshot adds of how it was written. */
    static String way(Statistics written) {
        return written.directIo() ? ", with direct-io" : "";
    }

    /** Shows a migration's progress until it is over, or something else comes; Ctrl-C ends it. */
    final void watch(Migration migration, String what, BooleanSupplier until)
            throws InterruptedException {
        interruption.cancelBy(() -> end(migration), migration::yank);
        show(migration, what, until);
    }

    /** Shows a migration's progress until it is over, or something else comes; Ctrl-C goes by. */
    final void show(Migration migration, String what, BooleanSupplier until)
            throws InterruptedException {
        boolean sends = false;
        try (Progress progress = progress(what)) {
            while (!migration.await(GLANCE) && !until.getAsBoolean()) {
                Statistics now = migration.statistics();
                // A destination knows how much came, not how much is to come.
                sends |= now.remaining() > 0;
                long done =
                        sends
                                ? now.total() - now.remaining()
                                : Math.min(now.transferred(), now.total());
                progress.show(done, now.total());
            }
        }
    }

    /** Too late to be cancelled, it may wait for ever: for a disk, or for the other side's word. */
    private static void end(Migration migration) {
        if (migration.cancel()) return;
        MigrationState state = migration.state();
        if (state != MigrationState.CANCELLING && !state.isFinal()) migration.yank();
    }

    /** What was typed makes no sense. */
    final ParameterException misuse(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }
}
