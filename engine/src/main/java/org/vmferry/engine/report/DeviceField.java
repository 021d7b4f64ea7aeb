package org.vmferry.engine.report;

import org.vmferry.spi.Status;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A part of a device's section, as its VMDESCRIPTION names it.
 *
 * @param name as described; that of the device's VMState for a subsection
 * @param index in the array that has this name
 * @param type as described, such as {@code uint64}; {@code subsection} for one of these
 * @param offset of its first byte in the payload
 * @param bytes as on the wire, big-endian; read-only
 * @param number what the bytes mean, if they are one number
 * @param fields its own parts, in wire order
 * @param note what is odd about it, as a sentence; empty if nothing is
 */
@Status(Status.Level.EXPERIMENTAL)
public record DeviceField(
        String name,
        OptionalInt index,
        String type,
        int offset,
        ByteBuffer bytes,
        Optional<BigInteger> number,
        List<DeviceField> fields,
        String note) {}
