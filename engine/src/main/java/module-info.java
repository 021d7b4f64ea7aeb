/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;

    exports org.vmferry.engine.discovery;
    exports org.vmferry.engine.option;

    uses org.vmferry.spi.carrier.PageCarrier;
    uses org.vmferry.spi.compression.CompressionProvider;
    uses org.vmferry.spi.layout.RamLayout;
    uses org.vmferry.spi.notifier.MigrationNotifier;
    uses org.vmferry.spi.transport.TransportProvider;
}
