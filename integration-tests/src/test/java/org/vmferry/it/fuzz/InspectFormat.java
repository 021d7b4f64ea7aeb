package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.report.Inspection;

import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/** Files that are looked into, with all their devices' fields. */
final class InspectFormat extends Format {
    /** These read what stands behind RAM's START. */
    private static final Pattern BEHIND_START =
            Pattern.compile(".*\\.(InlineIn|PlacedIn|Xbzrle|LoadMover|Devices|DeviceSections)");

    private final MemoryFile file = new MemoryFile();
    private final Engine engine = new Engine(Plugins.discover().plus(file));
    private final List<Sample> samples;

    InspectFormat(String name, int share, List<Sample> samples) {
        super(name, share);
        this.samples = samples;
    }

    @Override
    void run(SplittableRandom random, Trial trial) {
        file.put(one(random, samples).changed(random, one(random, samples)));
        String uri = MemoryFile.ID + ":x";
        try {
            engine.capabilities(uri);
            trial.accepted();
            Inspection seen = engine.inspect(uri, cancel -> {}, device -> sees(device, trial));
            if (!seen.blocks().isEmpty()) trial.begins();
            for (Inspection.Block block : seen.blocks())
                trial.page |= block.present().cardinality() > 0;
            for (Inspection.Device device : seen.devices()) fields(seen, device);
            seen.lost().ifPresent(trial::says);
            seen.notes().forEach(trial::says);
        } catch (IOException | RuntimeException | Error e) {
            for (StackTraceElement frame : e.getStackTrace()) {
                trial.start |= BEHIND_START.matcher(frame.getClassName()).matches();
            }
            trial.failed(e);
        }
    }

    private static boolean sees(Inspection.Device device, Trial trial) {
        trial.device = true;
        return true;
    }

    private static void fields(Inspection seen, Inspection.Device device) throws IOException {
        seen.contents().fields(device);
    }
}
