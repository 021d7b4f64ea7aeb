/** The mapped-ram layout: every page at its own offset of a file. */
module org.vmferry.mappedram {
    requires org.vmferry.spi;
    requires org.slf4j;
}
