package org.vmferry.it.interop;

import static org.vmferry.it.interop.BoardTrial.check;
import static org.vmferry.it.interop.BoardTrial.command;

import org.vmferry.engine.Engine;
import org.vmferry.engine.report.Inspection;

import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The operations that look at a QEMU's snapshots. */
final class Looking {
    private Looking() {}

    /** What inspect finds is what the QEMU has, and where it places blocks the guest sees them. */
    static String inspect(List<BoardTrial.Saved> snapshots, List<Placement> seen)
            throws IOException {
        long all = 0;
        for (BoardTrial.Saved each : snapshots) {
            String said = command("inspect", each.file());
            Inspection inspection = Engine.create().inspect("file:" + each.file());
            Map<String, Long> found = new HashMap<>();
            for (Inspection.Block block : inspection.blocks()) {
                check(said.contains(block.id()), "inspect doesn't print %s", block.id());
                found.put(block.id(), block.usedLength());
            }
            Map<String, Long> had = each.ram().blocks();
            check(found.equals(had), "inspect found %s, and the QEMU has %s", found, had);
            for (Inspection.Block block : inspection.blocks()) {
                checkPlaces(block, had.keySet(), seen);
            }
            all += found.size();
        }
        return all + " blocks";
    }

    private static void checkPlaces(Inspection.Block block, Set<String> all, List<Placement> seen) {
        for (Inspection.Range range : block.guest()) {
            List<Placement> there =
                    seen.stream()
                            .filter(p -> block.id().equals(p.block(all)))
                            .filter(p -> p.offset() >= range.offset())
                            .filter(p -> p.offset() - range.offset() < range.length())
                            .toList();
            long shift = range.address() - range.offset();
            check(
                    there.isEmpty()
                            || there.stream().anyMatch(p -> p.address() - p.offset() == shift),
                    "inspect places %s at %s, and the guest sees %s",
                    block.id(),
                    range,
                    there);
        }
    }

    /** All of them are read to their end. */
    static String verify(List<BoardTrial.Saved> snapshots) throws IOException {
        long read = 0;
        for (BoardTrial.Saved each : snapshots) {
            command("verify", each.file());
            read += Files.size(each.file());
        }
        return "%d KiB read".formatted(read >> 10);
    }
}
