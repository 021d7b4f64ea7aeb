package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import static java.util.Map.entry;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.it.faults.thousand.Way.Link;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Every method that a host or a plug-in implements, as the SPI's classes say: the first time that
 * it is called it throws a RuntimeException, or an Error, leaves its thread interrupted, or does
 * not come back for a minute while its side is yanked. Each outcome is a row of docs/ownership.md,
 * who threw is blamed by name, a yank keeps its word, and nothing is left.
 */
class EveryCallbackTest {
    private static final String ARCHIVE = "its host has devices, and no archive of them";

    private static final List<Way> WAYS =
            List.of(
                    new Way(Link.TCP, "", false, true, true, false),
                    new Way(Link.UNIX, "", false, false, false, false),
                    new Way(Link.TCP, "zlib", true, true, false, false),
                    new Way(Link.TCP, "zstd", false, false, false, false),
                    new Way(Link.SAVE, "", false, false, false, false),
                    new Way(Link.SAVE, "none", false, false, false, true),
                    new Way(Link.LOAD, "", false, false, false, false),
                    new Way(Link.LOAD, "none", false, false, false, true),
                    new Way(Link.TCP, "", false, true, false, false, true),
                    new Way(Link.LOAD, "", false, false, false, true, true));

    /** What none of these calls, and why. */
    private static final Map<String, String> NOT_CALLED =
            Map.ofEntries(
                    entry("CpuThrottle.set", "many rounds: ConvergenceTest"),
                    entry("Loader.pageSize", ARCHIVE),
                    entry("MachineArchive.enter", ARCHIVE),
                    entry("MachineArchive.handOver", ARCHIVE),
                    entry("MachineArchive.ram", ARCHIVE),
                    entry("MachineArchive.ramTarget", ARCHIVE),
                    entry("MachineArchive.runState", ARCHIVE),
                    entry("MachineArchive.sections", ARCHIVE),
                    entry("MachineArchive.uuid", ARCHIVE),
                    entry("MigrationListener.corrected", "only after a silence: CorrectionTest"),
                    entry("IncomingFile.release", "only where it fails: YankTest"),
                    entry("Opener.release", "only where it fails: YankTest"),
                    entry("OutgoingFile.release", "only where it fails: YankTest"),
                    entry("OutgoingFile.reserve", "its default passes it to expect"),
                    entry("PositionedFile.resize", "only in a file that is written in place"),
                    entry("RamBlock.maximumLength", "no RAM of this guest may grow"),
                    entry("RamTarget.missing", "no RAM of it is left out"),
                    entry("Restore.put", "no device of it is bytes: ByteDeviceTest"),
                    entry("SectionStore.configuration", ARCHIVE),
                    entry("SectionStore.description", ARCHIVE),
                    entry("SectionStore.facts", ARCHIVE),
                    entry("SectionStore.keep", ARCHIVE),
                    entry("SectionStore.keepDescription", ARCHIVE),
                    entry("SectionStore.keepFacts", ARCHIVE),
                    entry("SectionStore.lost", ARCHIVE),
                    entry("SectionStore.scratch", ARCHIVE),
                    entry("SectionStore.sections", ARCHIVE),
                    entry("Snapshot.take", "as Restore.put"));

    @TempDir Path folder;

    /** {@code -Dfaults.way=0} plays one alone. */
    static List<Way> ways() {
        Integer one = Integer.getInteger("faults.way");
        return one == null ? WAYS : List.of(WAYS.get(one));
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("stress")
    @Timeout(1800)
    void throwsOrLeavesAnInterrupt(Way way) throws Exception {
        run(way, Harm.THROW, Harm.THROW_ERROR, Harm.INTERRUPT);
    }

    @ParameterizedTest
    @MethodSource("ways")
    @Tag("stress")
    @Timeout(1800)
    void sleeps(Way way) throws Exception {
        run(way, Harm.SLEEP);
    }

    private void run(Way way, Harm... harms) throws Exception {
        Thousand all = new Thousand(folder);
        if (way.link() != Link.LOAD) {
            all.runEveryCallback(way, Side.SOURCE, Moment.START, harms);
            all.runEveryCallback(way, Side.SOURCE, Moment.PAUSED, harms);
        }
        if (way.link() == Link.LOAD) {
            all.runEveryCallback(way, Side.DESTINATION, Moment.START, harms);
        } else if (way.link() != Link.SAVE) {
            all.runEveryCallback(way, Side.DESTINATION, Moment.START, harms);
            all.runEveryCallback(way, Side.DESTINATION, Moment.BEGINNING, harms);
        }
        System.out.println(way + ": " + all.histogram());
        assertThat(all.histogram().threw()).hasSizeGreaterThan(10);
        assertThat(all.violations()).isEmpty();
    }

    /** The part of the table that the build plays: each was wrong once, or decides who runs. */
    @Test
    @Tag("OWN-35")
    @Tag("OWN-36")
    @Tag("OWN-37")
    void some() throws Exception {
        Thousand all = new Thousand(folder);
        Way live = WAYS.getFirst();
        for (String goodbye : List.of("Channel.close", "Opener.close")) {
            all.runCallback(live, Side.SOURCE, Harm.SLEEP, goodbye);
        }
        all.runCallback(WAYS.get(2), Side.DESTINATION, Harm.SLEEP, "Receiver.close");
        for (String last : List.of("Channel.close", "DeviceState.load")) {
            all.runCallback(live, Side.DESTINATION, Harm.SLEEP, last);
        }
        for (Harm harm : List.of(Harm.THROW_ERROR, Harm.INTERRUPT)) {
            for (String call : List.of("MigrationListener.entered", "Channel.read")) {
                all.runCallback(live, Side.SOURCE, harm, call);
            }
            all.runCallback(live, Side.SOURCE, harm, "Machine.enter FINISH_MIGRATE");
            all.runCallback(live, Side.DESTINATION, harm, "Machine.enter RUNNING");
            all.runCallback(live, Side.DESTINATION, harm, "DeviceState.load");
        }
        assertThat(all.violations()).isEmpty();
    }

    /** None is forgotten: what the ways above don't call is listed, with the reason. */
    @Test
    void theWaysCallEveryMethod() throws Exception {
        Thousand all = new Thousand(folder);
        Set<String> called = new TreeSet<>();
        for (Way way : WAYS) if (!way.tls()) called.addAll(all.called(way));
        Set<String> missing = new TreeSet<>(Seams.methods());
        missing.removeAll(
                called.stream().map(call -> call.split(" ")[0]).collect(Collectors.toSet()));
        assertThat(missing).isEqualTo(NOT_CALLED.keySet());
    }
}
