/** Pages over parallel channels, or into a file by parallel workers; and the zlib codec. */
module org.vmferry.multifd {
    requires org.vmferry.spi;
    requires org.slf4j;
    requires jdk.jfr;

    provides org.vmferry.spi.carrier.PageCarrier with
            org.vmferry.multifd.MultifdCarrier;
    provides org.vmferry.spi.compression.CompressionProvider with
            org.vmferry.multifd.ZlibCodec;
}
