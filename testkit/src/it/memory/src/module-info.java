/** A transport of somebody else's. */
module example.memory {
    requires org.vmferry.spi;

    provides org.vmferry.spi.transport.TransportProvider with
            example.memory.MemoryTransport;
}
