package org.vmferry.cli.demo;

import org.vmferry.testkit.machine.MachineDigest;

import java.util.ArrayList;
import java.util.List;

/**
 * Whether a guest that was moved is what a twin is that stayed.
 *
 * @param counted how far the guest counted
 * @param gaps numbers it left out
 * @param repeats numbers it said again
 * @param instructions after which the two are compared
 * @param differences RAM blocks and devices that are not the twin's, and "output" if what left the
 *     serial port is not
 */
public record Proof(
        long counted, long gaps, long repeats, long instructions, List<String> differences) {
    /** A machine after some instructions: what it has printed, and all of its state. */
    record Side(String output, MachineDigest digest) {}

    /** Compares. */
    static Proof of(Side moved, Side twin) {
        long next = 1;
        long gaps = 0;
        long repeats = 0;
        // The last line may still be on its way.
        String whole = moved.output.substring(0, moved.output.lastIndexOf('\n') + 1);
        for (String line : whole.lines().toList()) {
            if (!line.matches("\\d{1,18}")) continue; // is a difference to the twin's
            long number = Long.parseLong(line);
            if (number < next) {
                repeats++;
                continue;
            }
            gaps += number - next;
            next = number + 1;
        }
        List<String> differences = new ArrayList<>(moved.digest.differences(twin.digest));
        if (!moved.output.equals(twin.output)) differences.add("output");
        return new Proof(next - 1, gaps, repeats, moved.digest.instructions(), differences);
    }

    /**
     * Whether it is the same.
     *
     * @return true if nothing is amiss
     */
    public boolean holds() {
        return counted > 0 && gaps == 0 && repeats == 0 && differences.isEmpty();
    }
}
