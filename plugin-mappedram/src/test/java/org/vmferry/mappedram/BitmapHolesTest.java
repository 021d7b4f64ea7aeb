package org.vmferry.mappedram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vmferry.mappedram.MiniEngine.PAGE;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.BlockHeader;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.transport.PositionedFile;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.OptionalLong;
import java.util.TreeMap;

/** A bitmap of 4 TiB, nearly all of it a hole: what is read is what is there. */
class BitmapHolesTest {
    private static final long PAGES = 1L << 30;
    private static final long AT = 100;
    private static final long MIB = 1 << 20;

    private final MappedRamBlock block =
            new MappedRamBlock(
                    new BlockHeader("a", PAGES * PAGE, PAGE, OptionalLong.empty()),
                    AT,
                    MappedRamHeader.at(AT, PAGES, PAGE));

    /** Bytes that were written; all else is a hole, of which it tells or not. */
    private final class Sparse implements PositionedFile {
        private final TreeMap<Long, Byte> bytes = new TreeMap<>();
        private final boolean tells;
        private long size = block.end();
        private long read;

        Sparse(boolean tells) {
            this.tells = tells;
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
        public void write(ByteBuffer source, long position) {
            for (long at = position; source.hasRemaining(); at++) {
                byte one = source.get();
                if (one != 0) bytes.put(at, one);
            }
        }

        @Override
        public int read(ByteBuffer target, long position) {
            int length = Math.clamp(size - position, 0, target.remaining());
            for (int i = 0; i < length; i++) target.put(target.position() + i, (byte) 0);
            bytes.subMap(position, position + length)
                    .forEach((at, one) -> target.put((int) (at - position), one));
            target.position(target.position() + length);
            read += length;
            return length;
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public void resize(long bytes) {
            size = bytes;
        }

        @Override
        public long nextData(long position) {
            if (!tells) return position;
            Long next = bytes.ceilingKey(position);
            return next == null ? Math.max(position, size) : next;
        }
    }

    private Sparse written(boolean tells) throws IOException {
        PageBitmap present = PageBitmap.sparse(PAGES);
        present.fill(0, 3, true);
        present.set(PAGES / 2);
        present.set(PAGES - 1);
        Sparse file = new Sparse(tells);
        new BlockContents(present, true).write(file, block);
        return file;
    }

    @Test
    @Tag("MAP-4")
    @Tag("MAP-11")
    void whatIsAHoleIsNotRead() throws IOException {
        for (boolean tells : new boolean[] {true, false}) {
            Sparse file = written(tells);
            BlockContents contents = BlockContents.read(file, block);
            assertThat(contents.clearMeansHole()).isTrue();
            PageBitmap present = contents.present();
            assertThat(present.cardinality()).isEqualTo(5);
            assertThat(present.nextClear(0)).isEqualTo(3);
            assertThat(present.get(PAGES / 2)).isTrue();
            assertThat(present.get(PAGES - 1)).isTrue();
            if (tells) assertThat(file.read).isLessThan(5 * MIB);
            else assertThat(file.read).isGreaterThan(PAGES / 8);
        }
    }

    /** Where the file was cut meanwhile there is no hole, but nothing. */
    @Test
    @Tag("MAP-8")
    void aBitmapThatIsCutIsNoHole() throws IOException {
        Sparse file = written(true);
        file.bytes.tailMap(AT + 10 * MIB).clear();
        file.resize(AT + 10 * MIB);
        assertThatThrownBy(() -> BlockContents.read(file, block))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining("the file ends at %d, within its bitmap", AT + 10 * MIB);
    }
}
