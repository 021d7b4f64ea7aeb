package org.vmferry.engine.transport;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Printable;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ChannelEnd;
import org.vmferry.spi.transport.Opener;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Connects to where an address leads. */
final class SocketOpener extends ChannelEnd implements Opener {
    /** Finds the places to try, in turn. May block for as long as name servers take. */
    interface Resolver {
        List<? extends SocketAddress> resolve() throws IOException;
    }

    private static final long LEAVE_MS = 300;

    private final Resolver resolver;
    private final long timeout;
    // Where the main channel got to; all others go there too.
    private volatile @Nullable SocketAddress reached;

    SocketOpener(Address address, Resolver resolver, long timeout) {
        super(address);
        this.resolver = resolver;
        this.timeout = timeout == 0 ? Long.MAX_VALUE : timeout;
    }

    @Override
    public Channel open() throws IOException {
        channels().check();
        SocketAddress place = reached;
        Attempt attempt = new Attempt(place == null ? resolver : () -> List.of(place));
        channels().add(attempt);
        // Its own thread: neither a name server nor a full queue of a unix socket knows deadlines.
        Thread thread =
                Thread.ofPlatform()
                        .daemon()
                        .name(Printable.line("vmferry-connect-" + address()))
                        .start(attempt);
        try {
            SocketChannel socket = attempt.result.get(timeout, TimeUnit.MILLISECONDS);
            SocketStream stream = channels().add(new SocketStream(socket, address().toString()));
            reached = attempt.place;
            attempt.handOver();
            return stream;
        } catch (ExecutionException e) {
            channels().check();
            Throwable why = Objects.requireNonNull(e.getCause()); // what the attempt threw
            if (why instanceof IOException io) throw io;
            throw MigrationException.of(why);
        } catch (TimeoutException e) {
            throw new MigrationException(
                    Blame.TRANSPORT,
                    "can't reach %s: no answer within connect-timeout, %d ms"
                            .formatted(address(), timeout));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MigrationException(
                    Blame.USER, "connecting to " + address() + ": interrupted");
        } finally {
            channels().remove(attempt);
            attempt.close();
            leave(thread);
        }
    }

    /** It ends at once, but for one that waits for a name server: that one ends by itself. */
    private static void leave(Thread thread) {
        try {
            thread.join(LEAVE_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One call of open(), on a thread of its own. */
    private final class Attempt implements Runnable, AutoCloseable {
        final CompletableFuture<SocketChannel> result = new CompletableFuture<>();
        private final Resolver places;
        private volatile @Nullable SocketAddress place;
        private @Nullable SocketChannel socket;
        private boolean over;

        Attempt(Resolver places) {
            this.places = places;
        }

        @Override
        public void run() {
            try {
                result.complete(connect());
            } catch (Throwable e) { // an Error too: who waits for this thread must hear of it
                result.completeExceptionally(e);
            }
        }

        private SocketChannel connect() throws IOException {
            StringBuilder refusals = new StringBuilder();
            IOException last = null;
            List<? extends SocketAddress> all = places.resolve();
            for (int i = 0; i < all.size(); i++) {
                place = all.get(i);
                try {
                    SocketChannel next = next(place);
                    // One that swallows packets leaves time for the others.
                    if (place instanceof InetSocketAddress && all.size() > 1) {
                        next.socket().connect(place, (int) Math.min(timeout / all.size(), 1 << 30));
                    } else {
                        next.connect(place);
                    }
                    return next;
                } catch (IOException e) {
                    refusals.append(refusals.isEmpty() ? "" : "; ").append(place).append(": ");
                    refusals.append(e.getMessage());
                    last = e;
                }
            }
            throw Trouble.transport("can't reach " + address() + ": " + refusals, last);
        }

        private synchronized SocketChannel next(SocketAddress to) throws IOException {
            if (socket != null) socket.close();
            socket =
                    SocketChannel.open(
                            to instanceof InetSocketAddress inet
                                    ? inet.getAddress() instanceof Inet6Address
                                            ? StandardProtocolFamily.INET6
                                            : StandardProtocolFamily.INET
                                    : StandardProtocolFamily.UNIX);
            if (over) {
                socket.close();
                throw new IOException("given up");
            }
            return socket;
        }

        synchronized void handOver() {
            socket = null;
        }

        /** Lets its thread go; a socket that was not handed over is closed. */
        @Override
        public synchronized void close() {
            over = true;
            result.completeExceptionally(new IOException("given up"));
            try {
                if (socket != null) socket.close();
            } catch (IOException e) {
                // It was never used.
            }
        }
    }
}
