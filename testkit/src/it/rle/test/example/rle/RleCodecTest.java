package example.rle;

import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.testkit.conformance.CompressionConformance;

class RleCodecTest extends CompressionConformance {
    @Override
    protected CompressionProvider provider() {
        return new RleCodec();
    }
}
