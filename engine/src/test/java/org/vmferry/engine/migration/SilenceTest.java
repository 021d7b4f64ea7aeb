package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.vmferry.engine.catalog.OptionCatalog;
import org.vmferry.engine.catalog.OptionCompatibility;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.GuestOwner;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;

/** Who writes to a peer that takes nothing more is let go, however far the migration is. */
@Timeout(30)
class SilenceTest {
    private final CountDownLatch released = new CountDownLatch(1);

    /** Takes nothing, until it is let go. */
    private final Channel stuck =
            (Channel)
                    Proxy.newProxyInstance(
                            Channel.class.getClassLoader(),
                            new Class<?>[] {Channel.class},
                            (_, method, _) ->
                                    switch (method.getName()) {
                                        case "write", "shutdownOutput" -> {
                                            released.await();
                                            throw new IOException("let go");
                                        }
                                        case "release" -> {
                                            released.countDown();
                                            yield null;
                                        }
                                        case "peer" -> "the peer";
                                        default -> throw new AssertionError(method);
                                    });

    private static MigrationSession session() throws Exception {
        Plugins plugins = Plugins.builtIn();
        Options options =
                new OptionCompatibility(new OptionCatalog(plugins))
                        .validate(
                                Settings.NONE.parameter("silence-timeout", "200"),
                                plugins.transport("tcp"));
        MigrationSession session =
                new MigrationSession(
                        LifeCycle.Role.SENDS,
                        "send-1",
                        options,
                        new UUID(0, 1),
                        Optional.empty(),
                        0);
        session.life().hears();
        session.life().loaded();
        return session;
    }

    private void assertLetGo(MigrationSession session) throws Exception {
        try (Silence silence = new Silence(session)) {
            Channel watched = silence.over(stuck);
            assertThatThrownBy(() -> watched.write(ByteBuffer.allocate(1))).hasMessage("let go");
            assertThatThrownBy(watched::shutdownOutput) // nobody waits for it again
                    .hasMessageStartingWith("the peer has taken no byte for 200 ms");
        }
    }

    /** The destination may have enough of it to begin. */
    @Test
    @Tag("RPT-8")
    void inTheEnd() throws Exception {
        MigrationSession session = session();
        session.life().commit();
        assertLetGo(session);
        assertThat(session.life().failure()).isInstanceOf(OutcomeUnknown.class);
        assertThat(session.life().owner()).isEqualTo(GuestOwner.UNKNOWN);
    }

    /** As in a goodbye, with TLS. */
    @Test
    void whenAllIsDone() throws Exception {
        MigrationSession session = session();
        session.life().commit();
        session.life().delivered();
        assertLetGo(session);
        assertThat(session.life().failure()).isNull();
    }
}
