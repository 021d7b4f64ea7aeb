package org.vmferry.engine.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.transport.Address;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class AllowedAddressesTest {
    @TempDir Path directory;

    private static boolean allows(AllowedAddresses rules, String uri) throws IOException {
        try {
            rules.check(Address.parse(uri));
            return true;
        } catch (MigrationException e) {
            assertThat(e).hasMessageContaining("is not allowed here, but ");
            return false;
        }
    }

    @Test
    void allIsAllowedUnlessSomebodySaysMore() throws IOException {
        for (String uri : List.of("exec:cat", "file:/etc/x", "tcp:h:1", "own:x"))
            assertThat(allows(AllowedAddresses.ALL, uri)).isTrue();
    }

    @Test
    void aTransportIsAllowedByItsName() throws IOException {
        AllowedAddresses rules = AllowedAddresses.of(List.of("tcp", " own "));
        assertThat(allows(rules, "tcp:127.0.0.1:4444")).isTrue();
        assertThat(allows(rules, "own:anything")).isTrue();
        for (String uri : List.of("exec:touch x", "file:/tmp/x", "unix:/tmp/x", "tcpx:1", "fd:3"))
            assertThat(allows(rules, uri)).as(uri).isFalse();
        assertThatThrownBy(() -> rules.check(Address.parse("exec:cat")))
                .hasMessage("'exec:cat' is not allowed here, but tcp, own");
    }

    @Test
    void aFolderIsAllowedWithAllThatLiesInIt() throws IOException {
        Path inside = Files.createDirectories(directory.resolve("in/deep"));
        Path in = inside.getParent();
        Path out = Files.createDirectory(directory.resolve("in-not"));
        Files.createSymbolicLink(in.resolve("way-out"), out);
        Files.createSymbolicLink(in.resolve("leads-out"), out.resolve("x"));
        Files.createSymbolicLink(out.resolve("way-in"), in);
        AllowedAddresses rules = AllowedAddresses.of(List.of("file:" + in, "unix:" + inside));
        for (String name : List.of("x", "x,offset=4096", "deep/x", "deep/../x", "way-out/../in/x"))
            assertThat(allows(rules, "file:" + in + "/" + name)).as(name).isTrue();
        assertThat(allows(rules, "file:" + out + "/way-in/x")).isTrue();
        assertThat(allows(rules, "unix:" + inside + "/socket")).isTrue();
        for (String name : List.of("../in-not/x", "way-out/x", "leads-out", "none/../../x", ".."))
            assertThat(allows(rules, "file:" + in + "/" + name)).as(name).isFalse();
        assertThat(allows(rules, "file:" + out + "/x")).isFalse();
        assertThat(allows(rules, "unix:" + in + "/socket")).isFalse();
        // A comma is no offset there.
        assertThat(allows(rules, "unix:" + out + "/x,offset=" + inside)).isFalse();
        assertThat(allows(rules, "exec:cat " + in)).isFalse();
    }

    @Test
    void aRuleThatCanMeanNothingIsRefused() {
        for (List<String> rules :
                List.of(
                        List.<String>of(),
                        List.of(""),
                        List.of(":/tmp"),
                        List.of("tcp:127.0.0.1"),
                        List.of("exec:/bin/cat"),
                        List.of("file:"),
                        List.of("file:" + directory + "/none")))
            assertThatThrownBy(() -> AllowedAddresses.of(rules))
                    .as(rules.toString())
                    .isInstanceOf(MigrationException.class);
    }
}
