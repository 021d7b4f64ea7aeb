/** The extension points of vmferry. */
module org.vmferry.spi {
    requires transitive jakarta.inject;

    exports org.vmferry.spi;
}
