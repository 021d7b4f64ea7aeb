package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vmferry.engine.MemoryChannel;
import org.vmferry.engine.migration.LifeCycle.Role;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Blame;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The end of the way back, as who waits for a word on it hears of it. */
class AnswerListenerTest {
    /** Whoever hears of it first fails the migration: all name the same one. */
    @ParameterizedTest
    @EnumSource
    @Tag("OWN-35")
    void blamesWhoEndedIt(Blame blame) throws Exception {
        Channel channel =
                new MemoryChannel(new byte[0], 1) {
                    @Override
                    public int read(ByteBuffer target) throws IOException {
                        throw new MigrationException(blame, "it ended", null);
                    }
                };
        MigrationSession session =
                MigrationSession.ofRehearsal(Role.SENDS, "send-back", Options.DEFAULTS);
        LifeCycle life = session.life();
        life.enter(MigrationState.SETUP);
        life.loaded();
        life.commit(); // nothing that is heard now fails it
        try (AnswerListener answer = new AnswerListener(channel, session, new Silence(session))) {
            answer.ping();
            MigrationException why =
                    catchThrowableOfType(
                            MigrationException.class, () -> answer.awaitPong("everything"));
            assertThat(why.blame()).isEqualTo(blame);
            assertThat(why).hasMessageContaining("it ended");
        }
    }
}
