package org.vmferry.testkit.fault;

import org.vmferry.spi.option.Option;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.TransportProvider;

import java.util.List;

/** What both kinds of transport that hand every call to another one have in common. */
abstract class ForwardingTransport<T extends TransportProvider> {
    /** The transport underneath. */
    protected final T real;

    private final String id;

    ForwardingTransport(T real, String id) {
        this.real = real;
        this.id = id;
    }

    /** The scheme of this one's addresses. */
    public String id() {
        return id;
    }

    /** Options of the transport underneath are its own, and not repeated. */
    public List<Option<?>> options() {
        return id.equals(real.id()) ? real.options() : List.of();
    }

    final Address underneath(Address address) {
        return new Address(real.id(), address.target());
    }
}
