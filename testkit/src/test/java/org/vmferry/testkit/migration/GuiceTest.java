package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.inject.AbstractModule;
import com.google.inject.Guice;
import com.google.inject.multibindings.Multibinder;

import org.junit.jupiter.api.Test;
import org.vmferry.engine.Engine;
import org.vmferry.mappedram.MappedRamLayout;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.transport.TransportProvider;

/** A container can build the engine: the {@code @Inject} constructors are enough. */
class GuiceTest {
    @Test
    void aContainerBuildsTheEngine() throws Exception {
        Engine engine =
                Guice.createInjector(
                                new AbstractModule() {
                                    @Override
                                    protected void configure() {
                                        var layouts =
                                                Multibinder.newSetBinder(
                                                        binder(), FileLayout.class);
                                        layouts.addBinding().to(MappedRamLayout.class);
                                        var carriers =
                                                Multibinder.newSetBinder(
                                                        binder(), PageCarrier.class);
                                        carriers.addBinding().toInstance(new CrewCarrier());
                                        Multibinder.newSetBinder(binder(), TransportProvider.class);
                                        Multibinder.newSetBinder(
                                                binder(), CompressionProvider.class);
                                        Multibinder.newSetBinder(binder(), MigrationNotifier.class);
                                    }
                                })
                        .getInstance(Engine.class);
        assertThat(engine.plugins().rejected()).isEmpty();
        assertThat(engine.plugins().layout("mapped-ram")).isInstanceOf(MappedRamLayout.class);
        assertThat(engine.plugins().carrier("crew")).isInstanceOf(CrewCarrier.class);
        assertThat(engine.plugins().transport("file").id()).isEqualTo("file");
    }
}
