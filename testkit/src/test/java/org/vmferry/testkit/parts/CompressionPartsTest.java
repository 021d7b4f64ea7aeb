package org.vmferry.testkit.parts;

import org.junit.jupiter.api.Nested;
import org.vmferry.multifd.ZlibCodec;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.testkit.conformance.CompressionConformance;
import org.vmferry.zstd.ZstdCodec;

/** Every codec that comes with vmferry, tried like a third party's. */
class CompressionPartsTest {
    @Nested
    class Zlib extends CompressionConformance {
        @Override
        protected CompressionProvider provider() {
            return new ZlibCodec();
        }
    }

    @Nested
    class Zstd extends CompressionConformance {
        @Override
        protected CompressionProvider provider() {
            return new ZstdCodec();
        }

        /** Its highest levels allocate hundreds of MiB for large packets. */
        @Override
        protected int packet() {
            return 32 * 4096;
        }
    }
}
