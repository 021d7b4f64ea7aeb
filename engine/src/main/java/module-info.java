/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;
    requires jdk.unsupported; // ExtendedOpenOption.DIRECT

    exports org.vmferry.engine;
    exports org.vmferry.engine.json to
            org.vmferry.cli,
            org.vmferry.testkit;
    exports org.vmferry.engine.transport;

    provides org.vmferry.spi.carrier.PageCarrier with
            org.vmferry.engine.ram.MainCarrier;
    provides org.vmferry.spi.layout.RamLayout with
            org.vmferry.engine.ram.InlineLayout;
    provides org.vmferry.spi.transport.TransportProvider with
            org.vmferry.engine.transport.FileTransport;
}
