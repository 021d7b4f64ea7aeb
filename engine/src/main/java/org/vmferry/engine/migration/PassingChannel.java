package org.vmferry.engine.migration;

import org.vmferry.engine.guard.Lifeline;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;

import java.io.IOException;

/** One that passes on its lifeline, too. */
class PassingChannel extends ForwardingChannel implements Lifeline {
    PassingChannel(Channel real) {
        super(real);
    }

    @Override
    public boolean notice(long ms) throws IOException {
        return real instanceof Lifeline lifeline && lifeline.notice(ms);
    }
}
