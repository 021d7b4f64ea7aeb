/** Reference machines, conformance suites, injected faults and a driver for a real QEMU. */
open module org.vmferry.testkit {
    requires transitive org.vmferry.engine;
    requires com.fasterxml.jackson.core;
    requires static org.junit.jupiter.api;

    exports org.vmferry.testkit.conformance;
    exports org.vmferry.testkit.fault;
    exports org.vmferry.testkit.machine;
    exports org.vmferry.testkit.qemu;
    exports org.vmferry.testkit.tls;
}
