package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Feature;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelTransport;
import org.vmferry.spi.transport.Opener;
import org.vmferry.spi.transport.TransportEnd;

import java.io.IOException;
import java.util.Set;

/**
 * A command of the shell: {@code exec:command}. A source writes into its standard input, a
 * destination reads its standard output. A command that ends with another code than 0 fails the
 * migration, and what it said last on standard error is the reason.
 */
@Status(Status.Level.INTERNAL)
public final class ExecTransport implements ChannelTransport {
    /** One of the engine's own, that {@code Plugins} makes. */
    public ExecTransport() {}

    @Override
    public String id() {
        return "exec";
    }

    @Override
    public Set<Feature> features() {
        return Set.of();
    }

    @Override
    public Opener opener(Address address, Options options) {
        return new Source(address);
    }

    @Override
    public Acceptor acceptor(Address address, Options options) {
        return new Destination(address);
    }

    private abstract static class Side implements TransportEnd {
        final Address address;
        private final boolean outgoing;
        private @Nullable ExecChannel command;
        private boolean released;

        Side(Address address, boolean outgoing) {
            this.address = address;
            this.outgoing = outgoing;
        }

        synchronized Channel start() throws IOException {
            if (released) throw ExecChannel.givenUp(address);
            if (command != null) throw new IllegalStateException(address + " has one channel");
            command = ExecChannel.start(address, outgoing);
            return command;
        }

        synchronized @Nullable ExecChannel command() {
            return command;
        }

        @Override
        public synchronized void release() {
            released = true;
            if (command != null) command.release();
        }

        @Override
        public void close() {
            if (command() != null) command().dispose();
        }
    }

    private static final class Source extends Side implements Opener {
        Source(Address address) {
            super(address, true);
        }

        @Override
        public Channel open() throws IOException {
            return start();
        }

        @Override
        public void complete() throws IOException {
            if (command() == null) throw new IllegalStateException(address + " was not opened");
            if (command().isOpen()) command().shutdownOutput();
            command().awaitSuccess();
        }
    }

    private static final class Destination extends Side implements Acceptor {
        Destination(Address address) {
            super(address, false);
        }

        @Override
        public Address address() {
            return address;
        }

        @Override
        public Channel accept() throws IOException {
            return start();
        }
    }
}
