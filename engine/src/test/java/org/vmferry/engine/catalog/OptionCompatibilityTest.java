package org.vmferry.engine.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.vmferry.engine.catalog.FakeOptions.ENGINE;
import static org.vmferry.engine.catalog.FakeOptions.EXEC;
import static org.vmferry.engine.catalog.FakeOptions.FILE;
import static org.vmferry.engine.catalog.FakeOptions.PLUGINS;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.discovery.Fakes;
import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Capability;

import java.util.Set;

/** What goes together, and what is said of the rest. */
class OptionCompatibilityTest {
    private final OptionCompatibility compatibility =
            new OptionCompatibility(new OptionCatalog(PLUGINS));

    private static MigrationException refused(
            OptionCompatibility compatibility, Settings settings) {
        MigrationException failure =
                catchThrowableOfType(
                        MigrationException.class, () -> compatibility.validate(settings));
        assertThat(failure).as("refused").isNotNull();
        return failure;
    }

    @Test
    void everyConflictIsToldNotTheFirstOnly() {
        MigrationException failure =
                refused(
                        compatibility,
                        Settings.NONE
                                .capability("mapped-ram")
                                .capability("return-path")
                                .capability("xbzrle")
                                .parameter("multifd-chanels", "4")
                                .parameter("downtime-limit", "2000001")
                                .parameter("multifd-compression", "zlib")
                                .parameter("tls-creds", "/pki")
                                .parameter("direct-iO", "on"));
        assertThat(failure.blame()).isEqualTo(Blame.USER);
        assertThat(failure.getMessage().split("; (?!')"))
                .containsExactlyInAnyOrder(
                        "capability 'xbzrle' is known, but vmferry has no XBZRLE",
                        "there is no parameter 'multifd-chanels'; 'multifd-channels' is one",
                        "downtime-limit=2000001: takes 0 to 2000000 ms",
                        "there is no parameter 'direct-iO'; 'direct-io' is one",
                        "mapped-ram and return-path can't be on together",
                        "mapped-ram and multifd-compression=zlib don't go together: every page has"
                                + " a place of its own size in the file",
                        "mapped-ram and tls-creds don't go together: a file has no TLS");
        assertThat(failure.getSuppressed()).hasSize(7);
    }

    @Test
    void needsAndExcludesHoldInBothDirections() throws Exception {
        Capability shy = new Capability("shy", Set.of("events"), Set.of("multifd", "not-there"));
        OptionCompatibility more =
                new OptionCompatibility(new OptionCatalog(PLUGINS.plus(Fakes.layout("shy", shy))));
        more.validate(Settings.NONE.capability("shy").capability("events"));
        assertThat(refused(more, Settings.NONE.capability("shy").capability("multifd")))
                .hasMessage(
                        "multifd and shy can't be on together; shy needs the capability events");
        assertThat(
                        refused(
                                more,
                                Settings.NONE
                                        .capability("shy")
                                        .capability("events")
                                        .capability("mapped-ram")))
                .hasMessage("mapped-ram and shy: only one file layout can be on");
    }

    @Test
    void aNeedThatIsNotThereNamesItsArtifact() {
        Capability needy = new Capability("needy", Set.of("multifd"), Set.of());
        OptionCompatibility more =
                new OptionCompatibility(
                        new OptionCatalog(ENGINE.plus(Fakes.layout("needy", needy))));
        assertThat(refused(more, Settings.NONE.capability("needy")))
                .hasMessageContaining("needy needs the capability multifd")
                .hasMessageContaining(KnownPlugins.MULTIFD);
    }

    @Test
    void partsThatDoNotFitAreNamedBothBeforeAnythingIsOpened() throws Exception {
        Settings multifd = Settings.NONE.capability("multifd");
        Settings mapped = Settings.NONE.capability("mapped-ram");
        assertThatThrownBy(() -> compatibility.validate(multifd, EXEC))
                .hasMessage("multifd needs many channels, and exec: has none");
        assertThatThrownBy(() -> compatibility.validate(mapped, EXEC))
                .hasMessage("mapped-ram needs a file, and exec: has none");
        compatibility.validate(multifd.plus(mapped), FILE);
        compatibility.validate(Settings.NONE, EXEC);
    }

    @Test
    void whatTheTransportLacksIsToldWithTheRest() throws Exception {
        Settings asked =
                Settings.NONE
                        .capability("multifd")
                        .capability("return-path")
                        .parameter("tls-creds", "/pki")
                        .parameter("downtime-limit", "x");
        assertThatThrownBy(() -> compatibility.validate(asked, FILE))
                .hasMessage(
                        "downtime-limit=x: takes 0 to 2000000 ms; multifd needs many channels, and"
                                + " file: has none; return-path needs a way back from the receiver,"
                                + " and file: has none; tls-creds needs TLS, and file: has none");
        compatibility.validate(Settings.NONE.capability("return-path"), EXEC);
        compatibility.validate(Settings.NONE.capability("mapped-ram").capability("multifd"), FILE);
    }
}
