package org.vmferry.spi.ram;

import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * A block as the stream announces it.
 *
 * @param id its name
 * @param usedLength bytes: a multiple of the page size, more than 0
 * @param pageSize bytes
 * @param guestAddress where the source's guest sees it, if the stream says so
 */
@Handed
@Status(Status.Level.STABLE)
public record BlockHeader(String id, long usedLength, int pageSize, OptionalLong guestAddress) {
    /** Refuses null. */
    public BlockHeader {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(guestAddress, "guestAddress");
    }
}
