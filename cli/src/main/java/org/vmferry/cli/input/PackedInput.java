package org.vmferry.cli.input;

import org.vmferry.spi.transport.PositionedFile;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/** The bytes of a file from somewhere on, as the libraries read them. Closing it does nothing. */
final class PackedInput extends BufferedInputStream {
    private static final int BUFFER = 1 << 18;

    private final Source source;

    PackedInput(PositionedFile file, long start) {
        this(new Source(file, start));
    }

    private PackedInput(Source source) {
        super(source, BUFFER);
        this.source = source;
    }

    /** Of the next byte in the file. */
    long position() {
        return source.position - (count - pos);
    }

    /** Whether more was asked for than there is. */
    boolean isShort() {
        return source.ended;
    }

    /** Why the file can't be read, if it can't. */
    Optional<IOException> trouble() {
        return Optional.ofNullable(source.trouble);
    }

    /** What comes next, and stays to be read; fewer bytes if it ends. */
    byte[] peek(int length) throws IOException {
        mark(length);
        byte[] next = readNBytes(length);
        reset();
        return next;
    }

    @Override
    public void close() {}

    private static final class Source extends InputStream {
        private final PositionedFile file;
        private long position;
        private boolean ended;
        private IOException trouble;

        Source(PositionedFile file, long position) {
            this.file = file;
            this.position = position;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length == 0) return 0;
            try {
                int count = file.read(ByteBuffer.wrap(into, offset, length), position);
                position += count;
                ended = count == 0;
                return ended ? -1 : count;
            } catch (IOException e) {
                trouble = e;
                throw e;
            }
        }
    }
}
