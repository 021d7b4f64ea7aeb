/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;
    requires jdk.unsupported; // ExtendedOpenOption.DIRECT

    exports org.vmferry.engine.tls;
    exports org.vmferry.engine.transport;

    provides org.vmferry.spi.transport.TransportProvider with
            org.vmferry.engine.transport.ExecTransport,
            org.vmferry.engine.transport.FileTransport,
            org.vmferry.engine.transport.TcpTransport,
            org.vmferry.engine.transport.UnixTransport;
}
