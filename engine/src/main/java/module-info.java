/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires static org.jspecify;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;
    requires jdk.jfr;
    requires jdk.net; // ExtendedSocketOptions.SO_PEERCRED
    requires jdk.unsupported; // ExtendedOpenOption.DIRECT

    exports org.vmferry.engine;
    exports org.vmferry.engine.catalog;
    exports org.vmferry.engine.discovery;
    exports org.vmferry.engine.guest;
    exports org.vmferry.engine.json to
            org.vmferry.cli;
    exports org.vmferry.engine.memory;
    exports org.vmferry.engine.option;
    exports org.vmferry.engine.qmp;
    exports org.vmferry.engine.report;
    exports org.vmferry.engine.stream to
            org.vmferry.cli;
    exports org.vmferry.engine.system to
            org.vmferry.cli;
    exports org.vmferry.engine.tls;
    exports org.vmferry.engine.transport;

    uses org.vmferry.spi.carrier.PageCarrier;
    uses org.vmferry.spi.compression.CompressionProvider;
    uses org.vmferry.spi.layout.FileLayout;
    uses org.vmferry.spi.notifier.MigrationNotifier;
    uses org.vmferry.spi.transport.TransportProvider;
}
