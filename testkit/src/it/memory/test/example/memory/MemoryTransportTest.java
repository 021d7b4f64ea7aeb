package example.memory;

import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;
import org.vmferry.testkit.conformance.TransportConformance;

import java.util.UUID;

class MemoryTransportTest extends TransportConformance {
    @Override
    protected TransportProvider provider() {
        return new MemoryTransport();
    }

    @Override
    protected Address destination() {
        return new Address("memory", UUID.randomUUID().toString());
    }
}
