package org.vmferry.spi.compression;

import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.option.Provider;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * A codec; its {@link #id()} is the value of {@code multifd-compression} that chooses it.
 *
 * <p>Each channel has one compressor or decompressor for its whole life: the bytes of all its
 * packets are one stream, flushed at each packet's end and never finished.
 */
@Status(Status.Level.STABLE)
public interface CompressionProvider extends Provider {
    /**
     * The method's number in packets (rule MFD-6). QEMU has assigned 1, 2, 4, 8 and 16; a codec
     * with any other number works between Java hosts only, and a QEMU refuses it. One that has a
     * number of QEMU's under another name than QEMU's is not used, and of two with one number
     * neither.
     *
     * @return 1 to 31
     */
    int wireMethod();

    /**
     * The parameter that sets its level; one of {@link #options()}.
     *
     * @return with default and range
     */
    Parameter<Integer> level();

    /** {@inheritDoc} By default {@link #level()} alone. */
    @Override
    default List<Option<?>> options() {
        return List.of(level());
    }

    /**
     * A new compressor.
     *
     * @param level within {@link #level()}'s range
     * @return owned by the caller, used by one thread
     * @throws IOException if it can't be had
     */
    Compressor compressor(int level) throws IOException;

    /**
     * A new decompressor.
     *
     * @return owned by the caller, used by one thread
     * @throws IOException if it can't be had
     */
    Decompressor decompressor() throws IOException;

    /** Compresses one channel's packets. */
    @Status(Status.Level.STABLE)
    interface Compressor extends AutoCloseable {
        /**
         * The most that compressing one packet can give, its flush included, in however many calls
         * it comes: in one, or in as many as it has pages.
         *
         * @param length bytes of pages in the packet
         * @return bytes
         */
        int maximumOutput(int length);

        /**
         * Compresses pages, and at a packet's end flushes: the receiver can then decode them all.
         *
         * @param source direct; is emptied
         * @param target direct; has room for {@link #maximumOutput} at a packet's first call, and
         *     at later ones for what is left of it
         * @param endOfPacket whether to flush
         * @throws IOException if the codec fails or there is no room
         */
        void compress(ByteBuffer source, ByteBuffer target, boolean endOfPacket) throws IOException;

        @Override
        void close();
    }

    /** Decompresses one channel's packets. */
    @Status(Status.Level.STABLE)
    interface Decompressor extends AutoCloseable {
        /**
         * Decodes the next bytes of a packet, until the target is full. Output may lag behind
         * within a packet but never across its end.
         *
         * @param source direct; the rest of the packet; its position moves
         * @param target direct; is filled
         * @throws IOException with {@link org.vmferry.spi.Blame#PEER} if the bytes are damaged or
         *     give too little
         */
        void decompress(ByteBuffer source, ByteBuffer target) throws IOException;

        /**
         * The packet's pages are complete: checks that nothing is left.
         *
         * @param source what is left of the packet: bytes that give no output, such as a flush's,
         *     may be; is emptied
         * @throws IOException with {@link org.vmferry.spi.Blame#PEER} if it decodes to more
         */
        void endPacket(ByteBuffer source) throws IOException;

        @Override
        void close();
    }
}
