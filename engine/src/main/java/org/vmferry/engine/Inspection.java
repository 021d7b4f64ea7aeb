package org.vmferry.engine;

import org.vmferry.spi.ram.PageBitmap;

import java.util.List;
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
 */
public record Inspection(
        String format,
        String machine,
        int pageSize,
        Set<String> capabilities,
        List<Block> blocks,
        List<Device> devices) {
    /**
     * A RAM block.
     *
     * @param id its name
     * @param usedLength bytes
     * @param present which of its pages are in the file with their content; the others are zero
     * @param bitmapPosition where its bitmap begins in the file, if it has one
     * @param pagesPosition where its first page lies in the file, if pages have places
     */
    public record Block(
            String id,
            long usedLength,
            PageBitmap present,
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
