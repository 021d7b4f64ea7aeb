package org.vmferry.engine.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.option.Provider;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Looking up, combining, and what is said about what isn't there. */
class PluginsTest {
    private static final Plugins NOTHING = Plugins.of(List.of());

    static MigrationException failure(ThrowingCallable call) {
        MigrationException failure = catchThrowableOfType(MigrationException.class, call);
        assertThat(failure).isNotNull();
        return failure;
    }

    @Test
    void eachKindIsFoundById() throws Exception {
        var tcp = Fakes.transport("tcp");
        var layout = Fakes.layout("own");
        var carrier = Fakes.carrier("many");
        var codec = Fakes.codec("snap", 3);
        var first = Fakes.notifier("z");
        var second = Fakes.notifier("a");
        Plugins plugins = Plugins.of(List.of(tcp, layout, carrier, codec, first)).plus(second);
        assertThat(plugins.rejected()).isEmpty();
        assertThat(plugins.transport("tcp")).isSameAs(tcp);
        assertThat(plugins.codec("snap")).isSameAs(codec);
        assertThat(plugins.notifiers()).containsExactly(first, second);
        assertThat(plugins.layout("own")).isSameAs(layout);
        assertThat(plugins.carrier("many")).isSameAs(carrier);
    }

    @Test
    void layoutAndCarrierAreChosenByTheirCapability() throws Exception {
        Plugins plugins = Plugins.of(List.of(Fakes.layout("own"), Fakes.carrier("many")));
        Options own = Options.DEFAULTS.with(new Capability("own"), true);
        assertThat(chosen(plugins, PluginKind.LAYOUT, own)).contains("own");
        assertThat(chosen(plugins, PluginKind.CARRIER, own)).isEmpty();
        Options both = own.with(new Capability("many"), true);
        assertThat(chosen(plugins, PluginKind.CARRIER, both)).contains("many");
    }

    private static Optional<String> chosen(Plugins plugins, PluginKind kind, Options options)
            throws MigrationException {
        return plugins.pluginFor(kind, options).map(Plugin::id);
    }

    @Test
    void nothingTakesThePlaceOfALayoutOrCarrierThatIsNotThere() {
        Options asked =
                Options.DEFAULTS
                        .with(new Capability("mapped-ram"), true)
                        .with(new Capability("multifd"), true);
        assertThat(failure(() -> NOTHING.pluginFor(PluginKind.LAYOUT, asked)))
                .hasMessageContaining(KnownPlugins.MAPPED_RAM);
        assertThat(failure(() -> NOTHING.pluginFor(PluginKind.CARRIER, asked)))
                .hasMessageContaining(KnownPlugins.MULTIFD);
    }

    @Test
    void whatIsMissingNamesItsArtifact() {
        assertMissing(() -> NOTHING.codec("zstd"), "org.vmferry:vmferry-plugin-compression-zstd");
        assertMissing(() -> NOTHING.codec("zlib"), "org.vmferry:vmferry-plugin-multifd");
        assertMissing(() -> NOTHING.carrier("multifd"), "org.vmferry:vmferry-plugin-multifd");
        assertMissing(() -> NOTHING.layout("mapped-ram"), "org.vmferry:vmferry-plugin-mappedram");
        assertMissing(() -> NOTHING.transport("tcp"), "org.vmferry:vmferry-engine");
    }

    private static void assertMissing(ThrowingCallable call, String artifact) {
        MigrationException failure = failure(call);
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure).hasMessageContaining("add " + artifact);
    }

    @Test
    void whatOnlyAQemuHasIsTheUsersToChange() {
        for (String scheme : List.of("vsock", "rdma")) {
            MigrationException failure = failure(() -> NOTHING.transport(scheme));
            assertThat(failure.blame()).isEqualTo(Blame.USER);
            assertThat(failure).hasMessageContaining(scheme).hasMessageContaining("known");
        }
    }

    @Test
    void whatNobodyKnowsTellsWhatThereIs() {
        Plugins plugins = Plugins.of(List.of(Fakes.transport("unix"), Fakes.transport("file")));
        MigrationException failure = failure(() -> plugins.transport("fiel"));
        assertThat(failure.blame()).isEqualTo(Blame.USER);
        assertThat(failure).hasMessage("transport 'fiel' is not there: there is file, unix");
    }

    @Test
    void aBrokenPluginOfThatNameKeepsItsCause() {
        Error cause = new NoClassDefFoundError("com/github/luben/zstd/Zstd");
        Plugins plugins =
                new Plugins(
                        List.of(),
                        List.of(
                                new RejectedPlugin(
                                        Optional.of(PluginKind.CODEC),
                                        Optional.of("org.vmferry.zstd.ZstdCodec"),
                                        Optional.empty(),
                                        "/x/zstd.jar",
                                        Optional.of(cause),
                                        "left out")),
                        List.of(),
                        List.of());
        MigrationException failure = failure(() -> plugins.codec("zstd"));
        assertThat(failure.blame()).isEqualTo(Blame.PLUGIN);
        assertThat(failure).hasCause(cause).hasMessageContaining("can't be used: left out");
        assertThat(failure.getMessage()).doesNotContain("add ");
        // Another that was asked for may be the broken one, or not: both are said.
        assertThat(failure(() -> plugins.codec("snap")))
                .hasCause(cause)
                .hasMessageContaining("or it is one that can't be used");
        assertThat(failure(() -> plugins.transport("tcp"))).hasNoCause();
    }

    @Test
    void codecsAreHeldToTheirContract() {
        assertRejected(Fakes.codec("none", 3), "means that there is no codec");
        assertRejected(Fakes.codec("wide", 32), "32, not 1 to 31");
        assertRejected(Fakes.codec("zero", 0), "0, not 1 to 31");
        assertRejected(Fakes.codec("mine", 1), "its wire method 1 is that of the codec 'zlib'");
        assertRejected(Fakes.codec("mine", 16), "its wire method 16 is that of the codec 'qatzip'");
    }

    @Test
    void optionsAreHeldToTheirContract() {
        assertRejected(
                Fakes.carrier("a", Parameter.count("a-level", 10, 0, 9)),
                "its option 'a-level' has the default 10, and takes 0 to 9");
        assertRejected(
                Fakes.carrier("a", Parameter.amount("a-bytes", -1, 9, "bytes")),
                "its option 'a-bytes' has the default -1, and takes 0 to 9 bytes");
        assertRejected(
                Fakes.carrier("a", Parameter.flag("mode", true)),
                "its option 'mode' is the engine's own");
        for (Parameter<?> right :
                List.of(
                        Parameter.text("a-text"),
                        Parameter.choice("a-choice", List.of("one", "two")),
                        Parameter.flag("a-flag", true),
                        Parameter.amount("a-bytes", Long.MAX_VALUE, Long.MAX_VALUE, "bytes")))
            assertThat(Plugins.of(List.of(Fakes.carrier("a", right))).rejected()).isEmpty();
    }

    @Test
    void ofTwoCodecsWithOneWireMethodNeitherIsUsed() {
        Plugins plugins =
                Plugins.of(List.of(Fakes.codec("one", 24), Fakes.codec("right", 25)))
                        .plus(Fakes.codec("other", 24));
        assertThat(plugins.all()).extracting(Plugin::id).containsExactly("right");
        assertThat(plugins.rejected())
                .extracting(RejectedPlugin::sentence)
                .hasSize(2)
                .anyMatch(s -> s.startsWith("codec 'one'") && s.contains("codec 'other'"))
                .allMatch(s -> s.contains(" is left out: the same wire method 24 has codec '"));
    }

    private static void assertRejected(Provider provider, String why) {
        Plugins plugins = Plugins.of(List.of(provider));
        assertThat(plugins.all()).isEmpty();
        assertThat(plugins.rejected())
                .singleElement()
                .satisfies(r -> assertThat(r.sentence()).contains(why));
    }

    @Test
    void theSameThingTwiceIsOne() throws Exception {
        Plugins plugins = Plugins.of(List.of(Fakes.transport("tcp")));
        assertThat(plugins.plus(plugins).rejected()).isEmpty();
        assertThat(plugins.plus(plugins).transport("tcp")).isNotNull();
    }

    @Test
    void aContainerAddsToTheEnginesOwn() {
        var mine = Fakes.transport("mine");
        Plugins plugins = new Plugins(Set.of(mine), Set.of(), Set.of(), Set.of(), Set.of());
        assertThat(plugins.all(PluginKind.TRANSPORT)).extracting(Plugin::provider).contains(mine);
        assertThat(plugins.all()).hasSize(1 + Plugins.builtIn().all().size());
    }
}
