/** The mapped-ram layout: every page at its own offset of a file. */
module org.vmferry.mappedram {
    requires transitive org.vmferry.spi;
    requires org.slf4j;

    exports org.vmferry.mappedram;

    provides org.vmferry.spi.layout.FileLayout with
            org.vmferry.mappedram.MappedRamLayout;
}
