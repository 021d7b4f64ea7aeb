package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Feature;
import org.vmferry.spi.MigrationException;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a destination answers on the return path; it has said it all before the source asks. "Past
 * header" is that an answer of its was taken.
 */
final class AnswerFormat extends Format {
    private static final String CHANNEL = "memory-answers";
    private static final Settings PLAIN = Settings.NONE.capability("return-path");
    private static final Settings ACK = PLAIN.capability("switchover-ack");
    private static final List<Sample> ANSWERS =
            List.of(
                    sample("PONG", message(2, 1)),
                    sample("PONG, SHUT", message(2, 1), message(1, 0)),
                    sample("SHUT 1", message(2, 1), message(1, 1)),
                    sample("ACK", ACK, message(2, 1), message(7), message(1, 0)),
                    sample("a reason", message(2, 1), reason("no such device"), message(1, 1)),
                    sample("other requests", message(3, 0, 1, 2), message(5, 3), message(6, 1)));

    private final MemoryChannels channel = new MemoryChannels(CHANNEL, Feature.RETURN_PATH);
    private final Engine engine = new Engine(Plugins.discover().plus(channel));

    AnswerFormat(String name, int share) {
        super(name, share);
    }

    private static byte[] message(int type, int... words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * words.length);
        bytes.putShort((short) type).putShort((short) (4 * words.length));
        for (int word : words) bytes.putInt(word);
        return bytes.array();
    }

    private static byte[] reason(String text) {
        byte[] words = text.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer bytes = ByteBuffer.allocate(4 + words.length);
        return bytes.putShort((short) 0x766d).putShort((short) words.length).put(words).array();
    }

    private static Sample sample(String name, byte[]... messages) {
        return sample(name, PLAIN, messages);
    }

    private static Sample sample(String name, Settings settings, byte[]... messages) {
        ByteBuffer all = ByteBuffer.allocate(200);
        Structure found = new Structure();
        for (byte[] message : messages) {
            int at = all.position();
            found.field(at, 2);
            found.field(at + 2, 2);
            for (int i = 4; i + 4 <= message.length; i += 4) found.field(at + i, 4);
            found.piece(at, at + message.length);
            all.put(message);
        }
        byte[] bytes = new byte[all.position()];
        all.flip().get(bytes);
        return Sample.of(name, settings, each -> found, bytes);
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        Sample sample = one(random, ANSWERS);
        channel.say(sample.changed(random, one(random, ANSWERS)).parts());
        SmallMachine machine = SmallMachine.full();
        Migration save;
        try {
            save = engine.send(machine, CHANNEL + ":x", sample.settings());
        } catch (MigrationException | RuntimeException | Error e) {
            trial.failed(e);
            return;
        }
        if (!save.await(LoadFormat.BOUND)) {
            trial.other("hangs: " + Hang.describe(save.name()));
            save.yank();
        } else if (save.state() == MigrationState.COMPLETED) {
            trial.accepted();
        } else {
            trial.failed(save.failure().orElseThrow());
        }
    }
}
