package org.vmferry.engine.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.vmferry.engine.catalog.FakeOptions.CHANNELS;
import static org.vmferry.engine.catalog.FakeOptions.ENGINE;
import static org.vmferry.engine.catalog.FakeOptions.MULTIFD;
import static org.vmferry.engine.catalog.FakeOptions.PLUGINS;
import static org.vmferry.engine.catalog.FakeOptions.parameter;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.engine.discovery.Fakes;
import org.vmferry.engine.discovery.KnownPlugins;
import org.vmferry.engine.option.EngineOptions;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;

import java.util.List;

/** Names and values, and what is said of wrong ones. */
class OptionReaderTest {
    private final OptionReader reader = new OptionReader(new OptionCatalog(PLUGINS));

    private static MigrationException refused(OptionReader reader, Settings settings) {
        MigrationException failure =
                catchThrowableOfType(MigrationException.class, () -> reader.read(settings));
        assertThat(failure).as("refused").isNotNull();
        return failure;
    }

    @Test
    void whatIsAskedForIsSetAndTheRestStaysAtItsDefault() throws Exception {
        Options options =
                reader.read(
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
        assertThat(refused(reader, Settings.NONE.capability(name)))
                .hasMessageContaining("'" + name + "' is known, but vmferry has no");
        reader.read(Settings.NONE.capability(name, false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cpr-transfer", "cpr-exec"})
    void modesThatAreNotBuiltAreRefusedByName(String mode) {
        assertThat(refused(reader, parameter("mode", mode)))
                .hasMessageContaining(mode)
                .hasMessageContaining("normal, cpr-reboot");
    }

    @ParameterizedTest
    @CsvSource({
        "max-bandwidth, -1",
        "max-bandwidth, 18446744073709551616",
        "max-bandwidth, 1e3",
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
        MigrationException failure = refused(reader, parameter(name, value));
        assertThat(failure.blame()).isEqualTo(Blame.USER);
        assertThat(failure).hasMessageStartingWith(name + "=" + value + ": takes ");
    }

    /** QEMU's 64 bits are more than a long has, and nobody sends so fast. */
    @ParameterizedTest
    @ValueSource(strings = {"9223372036854775807", "9223372036854775808", "18446744073709551615"})
    void anAmountWithoutALimitTakesAllThatQemuDoes(String value) throws Exception {
        assertThat(reader.read(parameter("max-bandwidth", value)).get(EngineOptions.MAX_BANDWIDTH))
                .isEqualTo(Long.MAX_VALUE);
    }

    /** Scripts set all they know to what a QEMU has anyway. */
    @Test
    void whatNobodyObeysMayBeSetToQemusDefault() throws Exception {
        OptionReader bare = new OptionReader(new OptionCatalog(ENGINE));
        for (OptionReader each : List.of(reader, bare)) {
            each.check(
                    Settings.NONE
                            .parameter("xbzrle-cache-size", "67108864")
                            .parameter("cpu-throttle-tailslow", "off")
                            .parameter("compress-wait-thread", "true")
                            .parameter("multifd-channels", "2")
                            .parameter("zero-page-detection", "multifd"));
            refused(each, parameter("xbzrle-cache-size", "67108865"));
            refused(each, parameter("cpu-throttle-tailslow", "on"));
        }
        refused(bare, parameter("multifd-channels", "3"));
        refused(bare, parameter("multifd-flush-after-each-section", "off"));
    }

    @Test
    void anOptionWhosePluginIsNotThereNamesTheArtifact() {
        OptionReader bare = new OptionReader(new OptionCatalog(ENGINE));
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
        OptionReader more =
                new OptionReader(new OptionCatalog(PLUGINS.plus(Fakes.codec("snap", 3))));
        assertThat(
                        more.read(parameter("multifd-compression", "snap"))
                                .get(EngineOptions.MULTIFD_COMPRESSION))
                .isEqualTo("snap");
        assertThat(refused(more, parameter("multifd-compression", "snip")))
                .hasMessage("multifd-compression=snip: takes none, snap, zlib");
        assertThat(refused(more, parameter("multifd-compression", "qpl")).blame())
                .isEqualTo(Blame.USER);
        OptionReader twins =
                new OptionReader(
                        new OptionCatalog(
                                PLUGINS.plus(Fakes.codec("snap", 3)).plus(Fakes.codec("snap", 5))));
        assertThat(refused(twins, parameter("multifd-compression", "snap")).blame())
                .isEqualTo(Blame.PLUGIN);
    }

    @Test
    void kindsAreNotMixedUp() {
        assertThat(refused(reader, Settings.NONE.capability("multifd-channels")))
                .hasMessage("'multifd-channels' is a parameter, not a capability");
        assertThat(refused(reader, parameter("multifd", "on")))
                .hasMessage("'multifd' is a capability, not a parameter");
        assertThat(refused(reader, Settings.NONE.capability("nonsense-of-mine")))
                .hasMessage("there is no capability 'nonsense-of-mine'");
        refused(reader, Settings.NONE.capability("nonsense-of-mine", false));
    }

    @Test
    void readsSettingsThatDoNotGoTogether() throws Exception {
        Settings both = Settings.NONE.capability("multifd").parameter("downtime-limit", "7");
        assertThat(
                        reader.catalog()
                                .describe(
                                        reader.read(
                                                both.capability("mapped-ram")
                                                        .capability("return-path"))))
                .filteredOn(info -> !info.value().equals(info.defaultValue()))
                .extracting(OptionInfo::name, OptionInfo::value)
                .containsExactlyInAnyOrder(
                        tuple("multifd", true),
                        tuple("mapped-ram", true),
                        tuple("return-path", true),
                        tuple("downtime-limit", 7L));
        assertThatThrownBy(() -> reader.check(both.parameter("downtime-limit", "x")))
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
