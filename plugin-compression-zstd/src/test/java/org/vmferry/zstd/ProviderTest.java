package org.vmferry.zstd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.compression.CompressionProvider;

import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;

class ProviderTest {
    @Test
    void isFoundAndSaysWhatItIs() {
        CompressionProvider codec =
                ServiceLoader.load(CompressionProvider.class).findFirst().orElseThrow();
        assertThat(codec).isInstanceOf(ZstdCodec.class);
        assertThat(codec.id()).isEqualTo("zstd");
        assertThat(codec.wireMethod()).isEqualTo(2);
        assertThat(codec.level().range()).isEqualTo("0 to 20");
        assertThat(codec.level().defaultValue()).isEqualTo(1);
    }

    @Test
    void moduleAndServiceFileAgree() throws Exception {
        Path classes =
                Path.of(
                        ZstdCodec.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        ModuleDescriptor module;
        try (InputStream in = Files.newInputStream(classes.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        ModuleDescriptor.Provides provides = module.provides().iterator().next();
        assertThat(Files.readAllLines(classes.resolve("META-INF/services/" + provides.service())))
                .containsExactlyElementsOf(provides.providers());
    }
}
