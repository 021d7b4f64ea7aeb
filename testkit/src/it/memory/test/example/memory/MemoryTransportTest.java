package example.memory;

import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.testkit.conformance.ChannelTransportConformance;

import java.util.UUID;

class MemoryTransportTest extends ChannelTransportConformance {
    @Override
    protected ChannelTransport provider() {
        return new MemoryTransport();
    }

    @Override
    protected Address destination() {
        return new Address("memory", UUID.randomUUID().toString());
    }
}
