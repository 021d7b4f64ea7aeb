package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.testkit.conformance.TransportConformance;

import java.util.List;
import java.util.stream.Stream;

/** Transports that break one rule each. */
class TransportTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        List<Class<?>> holders = List.of(TcpTwins.class, FileTwins.class);
        return Twins.of(holders, TransportConformance.class);
    }
}
