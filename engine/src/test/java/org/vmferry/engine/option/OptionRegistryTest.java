package org.vmferry.engine.option;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Fakes;
import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.spi.Blame;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.transport.TransportProvider;

import java.util.List;
import java.util.Set;

/** What may be asked for, and what is said of the rest. */
class OptionRegistryTest {
    private static final Capability MULTIFD =
            new Capability("multifd", Set.of(), Set.of("xbzrle", "postcopy-ram"));
    private static final Parameter<Integer> CHANNELS =
            Parameter.count("multifd-channels", 2, 1, 255);
    private static final Capability MAPPED_RAM = new Capability("mapped-ram");
    private static final TransportProvider FILE = Fakes.files("file");
    private static final TransportProvider EXEC = Fakes.transport("exec", Feature.RETURN_PATH);

    private final Plugins engine = Plugins.of(List.of(FILE, EXEC));
    private final Plugins plugins =
            engine.plus(
                    Fakes.carrier("multifd", MULTIFD, CHANNELS),
                    Fakes.layout("mapped-ram", MAPPED_RAM),
                    Fakes.codec("zlib", 1));
    private final OptionRegistry registry = new OptionRegistry(plugins);

    private static MigrationException refused(OptionRegistry registry, Settings settings) {
        MigrationException failure =
                catchThrowableOfType(MigrationException.class, () -> registry.validate(settings));
        assertThat(failure).as("refused").isNotNull();
        return failure;
    }

    private static Settings parameter(String name, String value) {
        return Settings.NONE.parameter(name, value);
    }

    @Test
    void whatIsAskedForIsSetAndTheRestStaysAtItsDefault() throws Exception {
        Options options =
                registry.validate(
                        Settings.NONE
                                .capability("multifd")
                                .capability("return-path")
                                .capability("return-path", false)
                                .parameter("multifd-channels", "3")
                                .parameter("multifd-channels", "4")
                                .parameter("multifd-compression", "zlib")
                                .parameter("mode", "cpr-reboot"));
        assertThat(options.get(MULTIFD)).isTrue();
        assertThat(options.get(CHANNELS)).isEqualTo(4);
        assertThat(options.get(EngineOptions.RETURN_PATH)).isFalse();
        assertThat(options.get(EngineOptions.MULTIFD_COMPRESSION)).isEqualTo("zlib");
        assertThat(options.get(EngineOptions.MODE)).isEqualTo("cpr-reboot");
        assertThat(options.get(EngineOptions.MAX_BANDWIDTH)).isEqualTo(134217728);
        assertThat(options.get(EngineOptions.DOWNTIME_LIMIT)).isEqualTo(300);
    }

    @Test
    void everyConflictIsToldNotTheFirstOnly() {
        MigrationException failure =
                refused(
                        registry,
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "xbzrle",
                "postcopy-ram",
                "postcopy-preempt",
                "background-snapshot",
                "x-colo",
                "rdma-pin-all",
                "dirty-limit",
                "dirty-bitmaps",
                "release-ram",
                "zero-copy-send"
            })
    void whatIsNotBuiltIsRefusedByNameButMayBeOff(String name) throws Exception {
        assertThat(refused(registry, Settings.NONE.capability(name)))
                .hasMessageContaining("'" + name + "' is known, but vmferry has no");
        registry.validate(Settings.NONE.capability(name, false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpr-transfer", "cpr-exec"})
    void modesThatAreNotBuiltAreRefusedByName(String mode) {
        assertThat(refused(registry, parameter("mode", mode)))
                .hasMessageContaining(mode)
                .hasMessageContaining("normal, cpr-reboot");
    }

    @ParameterizedTest
    @CsvSource({
        "max-bandwidth, -1",
        "max-bandwidth, 9223372036854775808",
        "downtime-limit, 2000001",
        "multifd-channels, 0",
        "multifd-channels, 256",
        "multifd-channels, many",
        "cpu-throttle-initial, 0",
        "cpu-throttle-increment, 100",
        "max-cpu-throttle, 100",
        "throttle-trigger-threshold, 101",
        "mode, fast"
    })
    void valuesOutOfRangeSayWhatIsAllowed(String name, String value) {
        MigrationException failure = refused(registry, parameter(name, value));
        assertThat(failure.blame()).isEqualTo(Blame.USER);
        assertThat(failure).hasMessageStartingWith(name + "=" + value + ": takes ");
    }

    @Test
    void anOptionWhosePluginIsNotThereNamesTheArtifact() {
        OptionRegistry bare = new OptionRegistry(engine);
        MigrationException failure =
                refused(
                        bare,
                        Settings.NONE
                                .capability("multifd")
                                .capability("mapped-ram")
                                .parameter("direct-io", "on")
                                .parameter("multifd-zstd-level", "3")
                                .parameter("multifd-compression", "zstd"));
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure.getMessage().split("; "))
                .containsExactly(
                        "capability 'multifd' is not there: add " + KnownPlugins.MULTIFD,
                        "capability 'mapped-ram' is not there: add " + KnownPlugins.MAPPED_RAM,
                        "parameter 'direct-io' is not there: add " + KnownPlugins.MAPPED_RAM,
                        "parameter 'multifd-zstd-level' is not there: add " + KnownPlugins.ZSTD,
                        "codec 'zstd' is not there: add " + KnownPlugins.ZSTD);
    }

    @Test
    void codecsThatWereFoundAreAllowedAndOthersAreNot() throws Exception {
        OptionRegistry more = new OptionRegistry(plugins.plus(Fakes.codec("snap", 3)));
        assertThat(
                        more.validate(parameter("multifd-compression", "snap"))
                                .get(EngineOptions.MULTIFD_COMPRESSION))
                .isEqualTo("snap");
        assertThat(refused(more, parameter("multifd-compression", "snip")))
                .hasMessage("multifd-compression=snip: takes none, snap, zlib");
        assertThat(refused(more, parameter("multifd-compression", "qpl")).blame())
                .isEqualTo(Blame.USER);
        OptionRegistry twins =
                new OptionRegistry(
                        plugins.plus(Fakes.codec("snap", 3)).plus(Fakes.codec("snap", 5)));
        assertThat(refused(twins, parameter("multifd-compression", "snap")).blame())
                .isEqualTo(Blame.PLUGIN);
    }

    @Test
    void needsAndExcludesHoldInBothDirections() throws Exception {
        Capability shy = new Capability("shy", Set.of("events"), Set.of("multifd", "not-there"));
        OptionRegistry more = new OptionRegistry(plugins.plus(Fakes.layout("shy", shy)));
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
        OptionRegistry more = new OptionRegistry(engine.plus(Fakes.layout("needy", needy)));
        assertThat(refused(more, Settings.NONE.capability("needy")))
                .hasMessageContaining("needy needs the capability multifd")
                .hasMessageContaining(KnownPlugins.MULTIFD);
    }

    @Test
    void kindsAreNotMixedUp() {
        assertThat(refused(registry, Settings.NONE.capability("multifd-channels")))
                .hasMessage("'multifd-channels' is a parameter, not a capability");
        assertThat(refused(registry, parameter("multifd", "on")))
                .hasMessage("'multifd' is a capability, not a parameter");
        assertThat(refused(registry, Settings.NONE.capability("nonsense-of-mine")))
                .hasMessage("there is no capability 'nonsense-of-mine'");
        refused(registry, Settings.NONE.capability("nonsense-of-mine", false));
    }

    @Test
    void aNameThatTwoClaimCannotBeSet() throws Exception {
        Capability one = new Capability("odd");
        Capability other = new Capability("odd", Set.of(), Set.of("events"));
        OptionRegistry clash =
                new OptionRegistry(
                        plugins.plus(Fakes.layout("a", one))
                                .plus(Fakes.carrier("b", other, EngineOptions.MODE)));
        assertThat(clash.problems()).hasSize(1).first().asString().contains("'a'", "'b'", "odd");
        MigrationException failure = refused(clash, Settings.NONE.capability("odd"));
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure).hasMessageContaining("file layout 'a'").hasMessageContaining("'b'");
        assertThat(clash.validate(parameter("mode", "cpr-reboot")).get(EngineOptions.MODE))
                .isEqualTo("cpr-reboot");
    }

    @Test
    void whatTheEngineObeysStaysTheEngines() throws Exception {
        OptionRegistry clash =
                new OptionRegistry(
                        plugins.plus(
                                Fakes.carrier("b", Parameter.count("max-bandwidth", 1, 0, 2))));
        assertThat(clash.problems()).hasSize(1).first().asString().contains("the engine");
        assertThat(
                        clash.validate(parameter("max-bandwidth", "77"))
                                .get(EngineOptions.MAX_BANDWIDTH))
                .isEqualTo(77);
    }

    @Test
    void partsThatDoNotFitAreNamedBothBeforeAnythingIsOpened() throws Exception {
        Settings multifd = Settings.NONE.capability("multifd");
        Settings mappedRam = Settings.NONE.capability("mapped-ram");
        assertThatThrownBy(() -> registry.validate(multifd, EXEC))
                .hasMessage("multifd needs many channels, and exec: has none");
        assertThatThrownBy(() -> registry.validate(mappedRam, EXEC))
                .hasMessage("mapped-ram needs a file, and exec: has none");
        registry.validate(mappedRam.plus(multifd), FILE);
        registry.validate(Settings.NONE, EXEC);
    }

    @Test
    void whatTheTransportLacksIsToldWithTheRest() throws Exception {
        Settings asked =
                Settings.NONE
                        .capability("multifd")
                        .capability("return-path")
                        .parameter("tls-creds", "/pki")
                        .parameter("downtime-limit", "x");
        assertThatThrownBy(() -> registry.validate(asked, FILE))
                .hasMessage(
                        "downtime-limit=x: takes 0 to 2000000 ms; multifd needs many channels, and"
                                + " file: has none; return-path needs a way back from the receiver,"
                                + " and file: has none; tls-creds needs TLS, and file: has none");
        registry.validate(Settings.NONE.capability("return-path"), EXEC);
        registry.validate(Settings.NONE.capability("mapped-ram").capability("multifd"), FILE);
    }

    @Test
    void describesEveryOptionWithOwnerAndValue() throws Exception {
        Options current =
                registry.validate(
                        Settings.NONE.capability("multifd").parameter("multifd-channels", "8"));
        assertThat(registry.describe(current))
                .contains(
                        new OptionInfo("multifd", "multifd", true, false, "on or off", true),
                        new OptionInfo("multifd-channels", "multifd", false, 2, "1 to 255", 8),
                        new OptionInfo(
                                "multifd-compression",
                                "engine",
                                false,
                                "none",
                                "none, zlib",
                                "none"),
                        new OptionInfo(
                                "downtime-limit", "engine", false, 300L, "0 to 2000000 ms", 300L));
        assertThat(registry.describe()).extracting(OptionInfo::name).doesNotHaveDuplicates();
    }

    @Test
    void describesSettingsThatDoNotGoTogether() throws Exception {
        Settings both = Settings.NONE.capability("multifd").parameter("downtime-limit", "7");
        assertThat(registry.describe(both.capability("mapped-ram").capability("return-path")))
                .filteredOn(info -> !info.value().equals(info.defaultValue()))
                .extracting(OptionInfo::name, OptionInfo::value)
                .containsExactlyInAnyOrder(
                        tuple("multifd", true),
                        tuple("mapped-ram", true),
                        tuple("return-path", true),
                        tuple("downtime-limit", 7L));
        assertThatThrownBy(() -> registry.describe(both.parameter("downtime-limit", "x")))
                .isInstanceOf(MigrationException.class)
                .hasMessage("downtime-limit=x: takes 0 to 2000000 ms");
    }

    @Test
    void settingsAreValuesAndTheLaterWordCounts() {
        Settings one = Settings.NONE.capability("a").parameter("p", "1");
        Settings two = one.plus(Settings.NONE.capability("a", false).parameter("p", "2"));
        assertThat(one).isEqualTo(Settings.NONE.parameter("p", "1").capability("a"));
        assertThat(two.capabilities()).containsEntry("a", false);
        assertThat(two.parameters()).containsEntry("p", "2");
        assertThat(one.parameters()).containsEntry("p", "1");
    }
}
