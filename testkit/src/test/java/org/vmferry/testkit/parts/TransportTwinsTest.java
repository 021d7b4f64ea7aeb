package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.testkit.conformance.ChannelTransportConformance;
import org.vmferry.testkit.conformance.FileTransportConformance;

import java.util.List;
import java.util.stream.Stream;

/** Transports that break one rule each. */
class TransportTwinsTest {
    @TestFactory
    Stream<DynamicTest> eachOfChannelsIsCaught() {
        return Twins.of(
                List.of(TcpTwins.class, TcpEndTwins.class), ChannelTransportConformance.class);
    }

    @TestFactory
    Stream<DynamicTest> eachOfFilesIsCaught() {
        return Twins.of(FileTwins.class, FileTransportConformance.class, "PRV-");
    }
}
