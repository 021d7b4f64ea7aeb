package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;

import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;

class ProvidersTest {
    @Test
    void areFoundOnTheClassPath() {
        assertThat(ServiceLoader.load(PageCarrier.class))
                .hasOnlyElementsOfType(MultifdCarrier.class);
        assertThat(ServiceLoader.load(CompressionProvider.class))
                .extracting(CompressionProvider::id)
                .containsExactlyInAnyOrder("zlib", "zstd");
    }

    @Test
    void moduleAndServiceFilesAgree() throws Exception {
        Path classes =
                Path.of(
                        MultifdCarrier.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        ModuleDescriptor module;
        try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        assertThat(module.provides()).hasSize(2);
        for (ModuleDescriptor.Provides provides : module.provides()) {
            List<String> file =
                    Files.readAllLines(classes.resolve("META-INF/services/" + provides.service()));
            assertThat(file).containsExactlyElementsOf(provides.providers());
        }
    }

    @Test
    void theCarrierSaysWhatItIs() {
        MultifdCarrier carrier = new MultifdCarrier();
        assertThat(carrier.id()).isEqualTo("multifd");
        assertThat(carrier.channelMagic()).isEqualTo(0x11223344);
        assertThat(carrier.fileWorkers(Options.DEFAULTS.with(MultifdOptions.CHANNELS, 7)))
                .isEqualTo(7);
        assertThat(carrier.options())
                .extracting(option -> option.name() + ": " + option.range())
                .containsExactly(
                        "multifd: on or off",
                        "multifd-channels: 1 to 255",
                        "zero-page-detection: multifd, legacy, none",
                        "multifd-flush-after-each-section: on or off");
        assertThat(new ZlibCodec().level().range()).isEqualTo("0 to 9");
    }
}
