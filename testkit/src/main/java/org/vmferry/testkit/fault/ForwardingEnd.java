package org.vmferry.testkit.fault;

import org.vmferry.spi.transport.TransportEnd;

/** What all ends that hand every call to another one have in common. */
abstract class ForwardingEnd<E extends TransportEnd> {
    /** The end underneath. */
    protected final E real;

    ForwardingEnd(E real) {
        this.real = real;
    }

    /** As {@link TransportEnd#release()}. */
    public void release() {
        real.release();
    }

    /** As {@link TransportEnd#close()}. */
    public void close() {
        real.close();
    }
}
