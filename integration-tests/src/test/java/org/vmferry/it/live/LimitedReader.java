package org.vmferry.it.live;

import org.vmferry.engine.tls.TlsChannel;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/** A process that only reads from a TLS channel, and says how much came and what its heap holds. */
public final class LimitedReader {
    private LimitedReader() {}

    /**
     * The process.
     *
     * @param arguments the directory of its certificates
     */
    public static void main(String[] arguments) throws Exception {
        TlsCredentials server = TlsCredentials.server(Path.of(arguments[0]), true);
        try (Acceptor in =
                new TcpTransport().acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS)) {
            System.out.println(in.address());
            try (TlsChannel channel = TlsChannel.accept(in.accept(), server, "", 60_000)) {
                long count = 0;
                ByteBuffer part = ByteBuffer.allocate(1 << 16);
                for (int read; (read = channel.read(part)) >= 0; part.clear()) count += read;
                System.gc();
                Runtime runtime = Runtime.getRuntime();
                System.out.println(
                        count + " " + (runtime.totalMemory() - runtime.freeMemory() >> 20));
            }
        }
    }
}
