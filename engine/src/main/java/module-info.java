/** What a host embeds. */
module org.vmferry.engine {
    requires transitive org.vmferry.spi;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;

    exports org.vmferry.engine.json to
            org.vmferry.cli,
            org.vmferry.testkit;
}
