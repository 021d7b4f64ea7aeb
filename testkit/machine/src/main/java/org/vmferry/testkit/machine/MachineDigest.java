package org.vmferry.testkit.machine;

import org.vmferry.spi.Status;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a machine's state comes to: two machines with equal digests are in the same state.
 *
 * @param instructions executed since boot
 * @param parts the CRC32C of each RAM block and device, by its name
 */
@Status(Status.Level.EXPERIMENTAL)
public record MachineDigest(long instructions, Map<String, Integer> parts) {
    /** Copies the parts. */
    public MachineDigest {
        parts = Map.copyOf(parts);
    }

    /**
     * Where two machines differ.
     *
     * @param other to compare with
     * @return the names of the parts, sorted; empty if the parts are alike
     */
    public List<String> differences(MachineDigest other) {
        List<String> names = new ArrayList<>();
        for (String name : parts.keySet()) {
            if (!Objects.equals(parts.get(name), other.parts.get(name))) names.add(name);
        }
        for (String name : other.parts.keySet()) if (!parts.containsKey(name)) names.add(name);
        names.sort(null);
        return names;
    }
}
