package org.vmferry.engine.migration;

import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.RamLayout;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;

/** What a migration was put together from; they were checked to fit. */
public record Parts(
        Address address, TransportProvider transport, RamLayout layout, PageCarrier carrier) {}
