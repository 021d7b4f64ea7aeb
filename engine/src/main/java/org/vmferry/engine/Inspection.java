package org.vmferry.engine;

import org.vmferry.spi.machine.SectionStore.Fact;
import org.vmferry.spi.ram.PageBitmap;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What a snapshot holds. Its whole structure was checked to make this.
 *
 * @param format {@code mapped-ram}, or {@code stream} for RAM in line
 * @param machine the machine's type; empty if the stream doesn't say
 * @param pageSize bytes
 * @param capabilities that the stream lists
 * @param blocks in wire order
 * @param devices in wire order
 * @param facts what the file says beside QEMU's format (docs/wire/trailer.md)
 * @param damage what is wrong with that text, as a sentence; no facts are known then
 * @param notes what is odd about the stream and harms nobody, as sentences
 * @param lost what of the machine is not in the file, or can't be told apart there, as a sentence;
 *     it may be that there are no devices then, or no blocks
 */
public record Inspection(
        String format,
        String machine,
        int pageSize,
        Set<String> capabilities,
        List<Block> blocks,
        List<Device> devices,
        List<Fact> facts,
        Optional<String> damage,
        List<String> notes,
        Optional<String> lost) {
    /**
     * A RAM block.
     *
     * @param id its name
     * @param usedLength bytes
     * @param present which of its pages are in the file with their content; the others are zero
     * @param missing whether its content is not in the file: nobody may take it for zeros
     * @param bitmapPosition where its bitmap begins in the file, if it has one
     * @param pagesPosition where its first page lies in the file, if pages have places
     */
    public record Block(
            String id,
            long usedLength,
            PageBitmap present,
            boolean missing,
            OptionalLong bitmapPosition,
            OptionalLong pagesPosition) {}

    /**
     * A device's section.
     *
     * @param name its name
     * @param instance tells devices of one name apart
     * @param version of its payload
     * @param bytes of its payload
     */
    public record Device(String name, int instance, int version, long bytes) {}
}
