package org.vmferry.engine;

import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.FileEnd;
import org.vmferry.spi.transport.FileTransport;
import org.vmferry.spi.transport.IncomingFile;
import org.vmferry.spi.transport.OutgoingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** {@code stuck:path}: files on a disk that hangs, and that nothing can interrupt. */
final class StuckFile implements FileTransport {
    /** Where it hangs. */
    enum At {
        WRITE,
        COMPLETE,
        READ
    }

    private final FileTransport file = new LocalFileTransport();
    private final At where;
    final CountDownLatch reached = new CountDownLatch(1);
    final CountDownLatch letGo = new CountDownLatch(1);

    StuckFile(At where) {
        this.where = where;
    }

    private void pass(At here) {
        if (here != where) return;
        reached.countDown();
        while (letGo.getCount() > 0) LockSupport.parkNanos(1_000_000); // also if interrupted
    }

    @Override
    public String id() {
        return "stuck";
    }

    @Override
    public OutgoingFile outgoing(Address address, Options options) throws MigrationException {
        OutgoingFile end = file.outgoing(address, options);
        return new OutgoingFile() {
            private final PositionedFile slow = new Slow(end);

            @Override
            public PositionedFile file(boolean direct) {
                return slow;
            }

            @Override
            public void complete() throws IOException {
                pass(At.COMPLETE);
                end.complete();
            }

            @Override
            public void release() {
                end.release();
            }

            @Override
            public void close() {
                end.close();
            }
        };
    }

    @Override
    public IncomingFile incoming(Address address, Options options) throws IOException {
        IncomingFile end = file.incoming(address, options);
        return new IncomingFile() {
            private final PositionedFile slow = new Slow(end);

            @Override
            public PositionedFile file(boolean direct) {
                return slow;
            }

            @Override
            public void release() {
                end.release();
            }

            @Override
            public void close() {
                end.close();
            }
        };
    }

    private final class Slow implements PositionedFile {
        private final FileEnd end;

        Slow(FileEnd end) {
            this.end = end;
        }

        private PositionedFile file() throws IOException {
            return end.file(false);
        }

        @Override
        public long start() {
            return 0;
        }

        @Override
        public int alignment() {
            return 1;
        }

        @Override
        public void write(ByteBuffer source, long position) throws IOException {
            pass(At.WRITE);
            file().write(source, position);
        }

        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            if (position > 0) pass(At.READ);
            return file().read(target, position);
        }

        @Override
        public long size() throws IOException {
            return file().size();
        }

        @Override
        public void resize(long size) throws IOException {
            file().resize(size);
        }
    }
}
