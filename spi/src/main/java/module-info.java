/**
 * The extension points of vmferry: what a host implements, and what a plug-in provides. Interfaces,
 * records, option constants, the page bitmap and typed errors; no threads and no I/O.
 *
 * <p>A plug-in depends on this module alone. It never sees the engine or another plug-in.
 */
module org.vmferry.spi {
    requires transitive jakarta.inject;
    requires static org.jspecify; // @Nullable: read by compilers and people
    requires static org.slf4j; // for Log alone

    exports org.vmferry.spi;
    exports org.vmferry.spi.carrier;
    exports org.vmferry.spi.compression;
    exports org.vmferry.spi.layout;
    exports org.vmferry.spi.machine;
    exports org.vmferry.spi.notifier;
    exports org.vmferry.spi.option;
    exports org.vmferry.spi.ram;
    exports org.vmferry.spi.session;
    exports org.vmferry.spi.transport;
}
