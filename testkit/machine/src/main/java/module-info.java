/** The reference machine: a small real computer that is migrated. */
module org.vmferry.testkit.machine {
    requires transitive org.vmferry.spi;

    exports org.vmferry.testkit.machine;
}
