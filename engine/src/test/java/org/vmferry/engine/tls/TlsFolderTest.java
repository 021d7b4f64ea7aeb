package org.vmferry.engine.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Acceptor;
import org.vmferry.spi.transport.Address;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.Opener;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.FutureTask;

/** What lies in a folder of credentials is looked at before anybody is judged by it. */
class TlsFolderTest {
    @TempDir static Path directory;
    private static TestCertificates certificates;
    private static int folders;

    private Path folder;

    @BeforeAll
    static void make() throws Exception {
        certificates = new TestCertificates(directory);
    }

    @BeforeEach
    void fresh() throws Exception {
        folder = certificates.directory("folder-" + folders++, "ca", "server", "PRIVATE KEY");
        rights("server-key.pem", "rw-------");
    }

    private void rights(String file, String rights) throws Exception {
        Files.setPosixFilePermissions(
                folder.resolve(file), PosixFilePermissions.fromString(rights));
    }

    private void lists(String... pem) throws Exception {
        Files.writeString(folder.resolve("ca-crl.pem"), String.join("", pem));
    }

    private TlsCredentials load() throws Exception {
        return TlsCredentials.server(folder, true);
    }

    private void refused(String... words) {
        assertThatThrownBy(this::load)
                .isInstanceOf(MigrationException.class)
                .hasMessageContainingAll(words);
    }

    private void client(Path from) throws Exception {
        TlsCredentials server = load();
        TlsCredentials client = TlsCredentials.client(from, true);
        try (Acceptor in =
                        new TcpTransport()
                                .acceptor(Address.parse("tcp:127.0.0.1:0"), Options.DEFAULTS);
                Opener out = new TcpTransport().opener(in.address(), Options.DEFAULTS)) {
            Channel there = out.open();
            Channel here = in.accept();
            FutureTask<TlsChannel> accepting =
                    TlsChannelTest.start(() -> TlsChannel.accept(here, server, "", 10_000));
            FutureTask<Integer> connecting =
                    TlsChannelTest.start(
                            () -> {
                                try (TlsChannel channel =
                                        TlsChannel.connect(there, client, "ferry.test", 10_000)) {
                                    return channel.read(ByteBuffer.allocate(1));
                                }
                            });
            try {
                TlsChannelTest.get(accepting).close();
                TlsChannelTest.get(connecting);
            } finally {
                there.release();
            }
        }
    }

    private static Path jo() throws Exception {
        return certificates.directory("jo", "ca", "client", "PRIVATE KEY");
    }

    @Test
    void whoIsRevokedIsRefusedAndOthersAreNot() throws Exception {
        lists(certificates.revocation("ca", "server", "-1d", 2));
        client(jo());
        lists(certificates.revocation("ca", "client", "-1d", 2));
        assertThatThrownBy(() -> client(jo())).hasMessageContaining("has been revoked");
    }

    /** Of whom a CA vouches for that was revoked nobody comes in, though he was not himself. */
    @Test
    void whomARevokedCaVouchesForIsRefused() throws Exception {
        certificates.add("mid", "CN=Mid CA", "ca", "-ext", "bc:c");
        certificates.add("deep", "CN=Deep", "mid");
        Path deep = certificates.directory("deep", "ca", "", "");
        certificates.pair(deep, "client", "deep", "PRIVATE KEY");
        String others = certificates.revocation("mid", "client", "-1d", 2);
        lists(certificates.revocation("ca", "server", "-1d", 2), others);
        client(deep);
        lists(certificates.revocation("ca", "mid", "-1d", 2), others);
        assertThatThrownBy(() -> client(deep)).hasMessageContaining("has been revoked");
    }

    /** It can't be known as false before somebody shows that CA's certificate. */
    @Test
    void aFalseListOfAnotherCaClearsNobody() throws Exception {
        certificates.add("low", "CN=Low CA", "ca", "-ext", "bc:c");
        certificates.add("false-low", "CN=Low CA", "ca", "-ext", "bc:c");
        certificates.add("far", "CN=Far", "low");
        Path far = certificates.directory("far", "ca", "", "");
        certificates.pair(far, "client", "far", "PRIVATE KEY");
        String list = certificates.revocation("ca", "server", "-1d", 2);
        lists(list, certificates.revocation("low", "client", "-1d", 2));
        client(far);
        lists(list, certificates.revocation("false-low", "client", "-1d", 2));
        assertThatThrownBy(() -> client(far)).hasMessageContaining("no list of CN=Low CA");
    }

    @Test
    void whoIsNoCaVouchesForNobody() throws Exception {
        certificates.add("friend", "CN=Friend", "client");
        Path friend = certificates.directory("friend", "ca", "", "");
        certificates.pair(friend, "client", "friend", "PRIVATE KEY");
        assertThatThrownBy(() -> client(friend)).hasMessageContaining("TLS handshake");
    }

    /** As where a CA has a new key: both count, in either order, each with its own list. */
    @ParameterizedTest
    @ValueSource(strings = {"ca false-ca", "false-ca ca"})
    void ofTwoCasOfOneNameEachCounts(String order) throws Exception {
        StringBuilder both = new StringBuilder();
        for (String ca : order.split(" ")) both.append(certificates.pem(ca));
        Files.writeString(folder.resolve("ca-cert.pem"), both);
        client(jo());
        String other = certificates.revocation("false-ca", "server", "-1d", 2);
        lists(other, certificates.revocation("ca", "server", "-1d", 2));
        client(jo());
        lists(other, certificates.revocation("ca", "client", "-1d", 2));
        assertThatThrownBy(() -> client(jo())).hasMessageContaining("has been revoked");
    }

    @Test
    void aSourceTooRefusesWhoIsRevoked() throws Exception {
        Path jo = certificates.directory("jo-lists", "ca", "client", "PRIVATE KEY");
        Path lists = jo.resolve("ca-crl.pem");
        Files.writeString(lists, certificates.revocation("ca", "client", "-1d", 2));
        client(jo);
        Files.writeString(lists, certificates.revocation("ca", "server", "-1d", 2));
        assertThatThrownBy(() -> client(jo)).isInstanceOf(MigrationException.class);
    }

    @Test
    void aListThatHoldsForEverIsNamed() throws Exception {
        lists(certificates.endless("ca"));
        refused("ca-crl.pem': the list of CN=Test CA does not say when another follows");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nothing here"})
    void anEmptyFileOfListsIsNamed(String content) throws Exception {
        lists(content);
        refused("ca-crl.pem': holds no list");
    }

    @Test
    void anOldListIsNamed() throws Exception {
        lists(certificates.revocation("ca", "client", "-3d", 1));
        refused("ca-crl.pem': the list of CN=Test CA was to be followed by another", "20");
        lists(
                certificates.revocation("ca", "client", "-3d", 1),
                certificates.revocation("ca", "server", "-1d", 2));
        client(jo()); // there is its successor
    }

    @Test
    void aListOfTomorrowIsNamed() throws Exception {
        lists(certificates.revocation("ca", "client", "+1d", 2));
        refused("ca-crl.pem': the list of CN=Test CA does not hold before");
    }

    @Test
    void aForeignListIsNamed() throws Exception {
        lists(certificates.revocation("other-ca", "client", "-1d", 2));
        refused("ca-crl.pem': holds lists of CN=Other CA, but none of CN=Test CA");
    }

    @Test
    void aListByAnotherKeyIsNamed() throws Exception {
        lists(certificates.revocation("false-ca", "client", "-1d", 2));
        refused("ca-crl.pem': the list of CN=Test CA is not signed by");
    }

    @Test
    void aCaWithoutListIsSaidAndItsPeersAreRefusedWithThatSentence() throws Exception {
        Files.writeString(
                folder.resolve("ca-cert.pem"),
                certificates.pem("ca") + certificates.pem("other-ca"));
        lists(certificates.revocation("other-ca", "client", "-1d", 2));
        assertThat(load().remarks()).singleElement().asString().contains("no list of CN=Test CA");
        assertThatThrownBy(() -> client(jo()))
                .hasMessageContaining("ca-crl.pem")
                .hasMessageContaining("no list of CN=Test CA that holds today");
    }

    /** One says that it is empty, and gives bytes without end. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void whatHasNoEndIsNotReadToIt() throws Exception {
        for (String file : new String[] {"ca-cert.pem", "server-cert.pem", "server-key.pem"}) {
            Path kept = Files.move(folder.resolve(file), folder.resolve("kept"));
            Files.createSymbolicLink(folder.resolve(file), Path.of("/dev/zero"));
            refused(file + "': is longer than 16777216");
            Files.move(kept, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test
    void ofABundleTheExpiredDoNotCountAndAreSaid() throws Exception {
        Files.writeString(
                folder.resolve("ca-cert.pem"), certificates.pem("old-ca") + certificates.pem("ca"));
        assertThat(load().remarks())
                .singleElement()
                .asString()
                .contains("ca-cert.pem", "CN=Old CA", "expired");
        client(jo());
        Files.writeString(folder.resolve("ca-cert.pem"), certificates.pem("old-ca"));
        refused("ca-cert.pem", "CN=Old CA", "expired");
    }

    @Test
    void aCertificateOfOnesOwnThatDoesNotHoldYetIsNamed() throws Exception {
        certificates.add("early", "CN=Early", "ca", "-startdate", "+1d");
        Files.writeString(folder.resolve("server-cert.pem"), certificates.pem("early"));
        refused("server-cert.pem", "CN=Early", "does not hold before");
    }

    @Test
    void anExpiredCertificateOfOnesOwnIsNamed() throws Exception {
        Files.writeString(folder.resolve("server-cert.pem"), certificates.pem("old-ca"));
        refused("server-cert.pem", "CN=Old CA", "expired");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r--r--", "rw----r--", "rw-----w-"})
    void aKeyThatOthersCanUseIsSaid(String rights) throws Exception {
        assertThat(load().remarks()).isEmpty();
        rights("server-key.pem", rights);
        assertThat(load().remarks())
                .singleElement()
                .asString()
                .contains("server-key.pem", "others");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-x---"));
        assertThat(load().remarks()).as("others don't get there").isEmpty();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        rights("server-key.pem", "rw-r-----"); // a group is somebody's choice
        assertThat(load().remarks()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"client-cert.pem", "client-key.pem"})
    void halfAPairIsNamed(String missing) throws Exception {
        Path half = certificates.directory("half-" + missing, "ca", "client", "PRIVATE KEY");
        Files.delete(half.resolve(missing));
        assertThatThrownBy(() -> TlsCredentials.client(half, true))
                .isInstanceOf(MigrationException.class)
                .hasMessageContaining(missing);
    }

    @Test
    void whatIsNotReadIsSaid() throws Exception {
        for (String known : new String[] {"client-cert.pem", "client-key.pem", "dh-params.pem"}) {
            Files.writeString(folder.resolve(known), "of the other side, or of no use");
        }
        assertThat(load().remarks()).isEmpty();
        Files.writeString(folder.resolve("client-cert-0.pem"), "");
        Files.writeString(folder.resolve("evil\nname.pem"), "");
        assertThat(load().remarks())
                .singleElement()
                .asString()
                .contains("client-cert-0.pem", "not read")
                .doesNotContain("\n");
    }

    @Test
    void ofManyThatAreNotReadAFewAreNamed() throws Exception {
        for (int i = 0; i < 50; i++) Files.writeString(folder.resolve("other-" + i + ".pem"), "");
        assertThat(load().remarks())
                .singleElement()
                .asString()
                .endsWith(", others")
                .satisfies(said -> assertThat(said.split("other-\\d+\\.pem", -1)).hasSize(6));
    }
}
