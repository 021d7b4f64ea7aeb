package org.vmferry.testkit.conformance;

import org.vmferry.spi.session.ForwardingSession;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/** A session that counts what was permitted, and asks before each time. */
final class ProbeSession extends ForwardingSession {
    private final AtomicLong permitted;
    private final Runnable before;

    ProbeSession(Session real, AtomicLong permitted, Runnable before) {
        super(real);
        this.permitted = permitted;
        this.before = before;
    }

    @Override
    public void permit(long bytes) throws IOException {
        before.run();
        permitted.addAndGet(bytes);
        super.permit(bytes);
    }
}
