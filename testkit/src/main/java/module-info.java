/** Conformance suites and injected faults. */
open module org.vmferry.testkit {
    requires transitive org.vmferry.engine;
    requires transitive org.vmferry.testkit.machine;
    requires static org.junit.jupiter.api;
    requires org.slf4j;

    exports org.vmferry.testkit.conformance;
    exports org.vmferry.testkit.fault;
    exports org.vmferry.testkit.tls;
}
