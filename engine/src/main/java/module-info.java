/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;
}
