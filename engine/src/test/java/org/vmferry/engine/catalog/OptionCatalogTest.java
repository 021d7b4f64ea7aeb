package org.vmferry.engine.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.vmferry.engine.catalog.FakeOptions.PLUGINS;
import static org.vmferry.engine.catalog.FakeOptions.parameter;

import org.junit.jupiter.api.Test;
import org.mockito.Mockito;
import org.vmferry.engine.discovery.Fakes;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.discovery.RejectedPlugin;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;

import java.util.List;
import java.util.Set;

/** What can be set, and whose it is. */
class OptionCatalogTest {
    private final OptionCatalog catalog = new OptionCatalog(PLUGINS);

    @Test
    void aNameThatTwoClaimCannotBeSet() throws Exception {
        Capability one = new Capability("odd");
        Capability other = new Capability("odd", Set.of(), Set.of("events"));
        OptionCatalog clash =
                new OptionCatalog(
                        PLUGINS.plus(Fakes.layout("a", one))
                                .plus(Fakes.carrier("b", other, EngineOptions.MODE)));
        assertThat(clash.problems()).hasSize(1).first().asString().contains("'a'", "'b'", "odd");
        OptionReader reader = new OptionReader(clash);
        MigrationException failure =
                catchThrowableOfType(
                        MigrationException.class,
                        () -> reader.check(Settings.NONE.capability("odd")));
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure).hasMessageContaining("file layout 'a'").hasMessageContaining("'b'");
        assertThat(reader.read(parameter("mode", "cpr-reboot")).get(EngineOptions.MODE))
                .isEqualTo("cpr-reboot");
    }

    @Test
    void whatTheEngineObeysStaysTheEngines() throws Exception {
        Plugins plugins =
                PLUGINS.plus(Fakes.carrier("b", Parameter.count("max-bandwidth", 1, 0, 2)));
        assertThat(plugins.rejected())
                .singleElement()
                .extracting(RejectedPlugin::sentence)
                .asString()
                .endsWith("its option 'max-bandwidth' is the engine's own");
        OptionCatalog clash = new OptionCatalog(plugins);
        assertThat(clash.problems()).isEmpty();
        assertThat(
                        new OptionReader(clash)
                                .read(parameter("max-bandwidth", "77"))
                                .get(EngineOptions.MAX_BANDWIDTH))
                .isEqualTo(77);
    }

    /** A host's own carrier in place of ours is asked for by its name; so is why it is not used. */
    @Test
    void whyAHostsOwnWasLeftOutIsSaid() {
        Plugins plugins =
                Plugins.of(
                        List.of(
                                Fakes.carrier(
                                        "multifd", Parameter.count("max-bandwidth", 1, 0, 2))));
        MigrationException failure =
                catchThrowableOfType(
                        MigrationException.class,
                        () ->
                                new OptionReader(new OptionCatalog(plugins))
                                        .check(Settings.NONE.capability("multifd")));
        assertThat(failure)
                .hasMessageContaining("capability 'multifd' is of ")
                .hasMessageContaining("its option 'max-bandwidth' is the engine's own");
    }

    /** Of a carrier that can't say its name it is not known what it stands for. */
    @Test
    void aCarrierWithoutANameMayBeTheOne() {
        PageCarrier speechless = Mockito.mock();
        Mockito.when(speechless.id()).thenThrow(new IllegalStateException("no voice"));
        MigrationException failure =
                new OptionCatalog(Plugins.of(List.of(speechless)))
                        .unknown(QemuNames.CAPABILITY, "multifd");
        assertThat(failure)
                .hasMessageContaining("capability 'multifd' is not there: add ")
                .hasMessageContaining("; or it is one that can't be used: ")
                .hasMessageContaining("is left out: it threw ")
                .hasRootCauseMessage("no voice");
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
    }

    @Test
    void describesEveryOptionWithOwnerAndValue() throws Exception {
        Options current =
                new OptionReader(catalog)
                        .read(
                                Settings.NONE
                                        .capability("multifd")
                                        .parameter("multifd-channels", "8"));
        assertThat(catalog.describe(current))
                .contains(
                        new OptionInfo(
                                "multifd", "multifd", true, false, "on or off", List.of(), true),
                        new OptionInfo(
                                "multifd-channels", "multifd", false, 2, "1 to 255", List.of(), 8),
                        new OptionInfo(
                                "multifd-compression",
                                "engine",
                                false,
                                "none",
                                "none, zlib",
                                List.of("none", "zlib"),
                                "none"),
                        new OptionInfo(
                                "downtime-limit",
                                "engine",
                                false,
                                300L,
                                "0 to 2000000 ms",
                                List.of(),
                                300L));
        assertThat(catalog.describe(Options.DEFAULTS))
                .extracting(OptionInfo::name)
                .doesNotHaveDuplicates();
    }
}
