/** The zstd codec. */
module org.vmferry.zstd {
    requires org.vmferry.spi;
    requires com.github.luben.zstd_jni;

    exports org.vmferry.zstd to
            org.vmferry.cli;

    provides org.vmferry.spi.compression.CompressionProvider with
            org.vmferry.zstd.ZstdCodec;
}
