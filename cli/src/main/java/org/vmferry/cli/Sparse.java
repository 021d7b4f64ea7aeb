package org.vmferry.cli;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Files with holes. */
final class Sparse {
    private Sparse() {}

    /** Makes an empty file so long: one hole. */
    static void extend(FileChannel file, long length) throws IOException {
        if (length > 0) file.write(ByteBuffer.allocate(1), length - 1);
    }

    /** Copies bytes from one place to another; the system does it where it can. */
    static void copy(FileChannel from, long position, FileChannel to, long target, long length)
            throws IOException {
        to.position(target);
        for (long done = 0; done < length; ) {
            long step = from.transferTo(position + done, length - done, to);
            if (step <= 0)
                throw new EOFException("the file was cut short at byte " + (position + done));
            done += step;
        }
    }
}
