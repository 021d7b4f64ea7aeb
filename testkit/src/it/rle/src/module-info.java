/** A codec of somebody else's. */
module example.rle {
    requires org.vmferry.spi;

    provides org.vmferry.spi.compression.CompressionProvider with
            example.rle.RleCodec;
}
