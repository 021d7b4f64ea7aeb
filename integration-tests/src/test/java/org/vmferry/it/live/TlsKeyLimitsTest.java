package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.cli.jvm.ChildJvm;
import org.vmferry.engine.tls.TlsChannel;
import org.vmferry.engine.tls.TlsCredentials;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Opener;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** What a JVM wants to ask for, past its limit for one TLS key, stays out of its heap. */
class TlsKeyLimitsTest {
    private static final String SECURITY = "java.security.properties"; // a child's too
    private static final int RECORDS = 30_000;
    private static final int BYTES = 64;
    private static final int LIMIT = 1 << 16;

    @TempDir Path folder;

    @Test
    void aChannelThatIsOnlyReadFillsNoHeapPastTheLimit() throws Exception {
        Path certificates = TestCertificates.in(folder.resolve("pki")).folder();
        Path security = folder.resolve("security");
        Files.writeString(security, "jdk.tls.keyLimits=AES/GCM/NoPadding KeyUpdate " + LIMIT);
        String before = System.setProperty(SECURITY, security.toString());
        try (ChildJvm reader = new ChildJvm(LimitedReader.class, certificates.toString())) {
            Address address = Address.parse(reader.answer());
            try (Opener out = new TcpTransport().opener(address, Options.DEFAULTS);
                    TlsChannel channel =
                            TlsChannel.connect(
                                    out.open(),
                                    TlsCredentials.client(certificates, true),
                                    TestCertificates.HOST,
                                    60_000)) {
                ByteBuffer bytes = ByteBuffer.allocate(BYTES);
                for (int i = 0; i < RECORDS; i++) channel.write(bytes.clear());
                channel.shutdownOutput();
                String[] said = reader.answer().split(" ");
                assertThat(said[0]).isEqualTo("" + RECORDS * BYTES);
                assertThat(Integer.parseInt(said[1])).as("MiB of heap").isLessThan(40);
            }
        } finally {
            if (before == null) System.clearProperty(SECURITY);
            else System.setProperty(SECURITY, before);
        }
    }
}
