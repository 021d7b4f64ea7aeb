package org.vmferry.engine.report;

import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
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
 * @param contents what is in the sections of those devices that were asked for
 */
@Status(Status.Level.EXPERIMENTAL)
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
        Optional<String> lost,
        Contents contents) {
    /** What is in devices' sections. */
    @FunctionalInterface
    @Status(Status.Level.EXPERIMENTAL)
    public interface Contents {
        /**
         * A device's fields, by the names that the VMDESCRIPTION gives them.
         *
         * @param device one that was asked for
         * @return in wire order; where there is no VMDESCRIPTION, or it does not fit, one field
         *     without a name, with a note
         * @throws MigrationException if the device was not asked for, or the VMDESCRIPTION makes no
         *     sense
         */
        List<DeviceField> fields(Device device) throws MigrationException;
    }

    /**
     * A RAM block.
     *
     * @param id its name
     * @param usedLength bytes
     * @param present which of its pages are in the file with their content; the others are zero
     * @param content whether what is not in the file is zero
     * @param bitmapPosition where its bitmap begins in the file, if it has one
     * @param pagesPosition where its first page lies in the file, if pages have places
     * @param guest where the guest sees it, in the order of its addresses; empty if that can't be
     *     known. What lies over it there, such as a BIOS, is not told
     */
    @Status(Status.Level.EXPERIMENTAL)
    public record Block(
            String id,
            long usedLength,
            PageBitmap present,
            Content content,
            OptionalLong bitmapPosition,
            OptionalLong pagesPosition,
            List<Range> guest) {
        /**
         * Whether nobody may take what is not in the file for zeros.
         *
         * @return true unless all of it is there
         */
        public boolean missing() {
            return content != Content.WHOLE;
        }
    }

    /** What a file says of a block's pages. */
    @Status(Status.Level.EXPERIMENTAL)
    public enum Content {
        /** Those that are not in it are zero. */
        WHOLE,
        /** None is in it: its source left the block out as shared memory. */
        LEFT_OUT,
        /** Nothing tells which of them are in it. */
        UNTOLD
    }

    /**
     * Where a part of a block is in the guest's physical address space.
     *
     * @param address of its first byte, as the guest sees it
     * @param offset of this byte in the block
     * @param length bytes
     */
    @Status(Status.Level.EXPERIMENTAL)
    public record Range(long address, long offset, long length) {}

    /**
     * A device's section.
     *
     * @param name its name
     * @param instance tells devices of one name apart
     * @param version of its payload
     * @param bytes of its payload
     */
    @Status(Status.Level.EXPERIMENTAL)
    public record Device(String name, int instance, int version, long bytes) {}
}
