package org.vmferry.cli.input;

import org.vmferry.spi.Printable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What is packed, and where.
 *
 * @param name of the file or the pipe, for messages
 * @param once whether it is a pipe
 * @param outer how the file is packed, within which this is; empty for the file itself
 * @param start of the packed data, in bytes from the beginning of the file, or of what is unpacked
 * @param by with what
 */
public record Packed(Path name, boolean once, Optional<Packed> outer, long start, Packing by) {
    /**
     * How a person unpacks it.
     *
     * @return an imperative, with a line for a shell
     */
    public String instead() {
        List<String> stages = stages();
        if (once) return "put this before it: " + String.join(" | ", stages);
        stages.set(0, stages.getFirst() + " < " + Printable.shellWord(name.toString()));
        return "unpack it first: %s > %s"
                .formatted(String.join(" | ", stages), Printable.shellWord(name + ".unpacked"));
    }

    private List<String> stages() {
        List<String> stages = outer.map(Packed::stages).orElseGet(ArrayList::new);
        if (start > 0) stages.add("tail -c +" + (start + 1));
        stages.add(by.command());
        return stages;
    }
}
