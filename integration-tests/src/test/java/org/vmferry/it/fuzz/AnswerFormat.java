package org.vmferry.it.fuzz;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.MigrationState;
import org.vmferry.spi.Feature;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a destination answers on the return path, where it does: one answer of its is changed. "Past
 * header" is that a PING came behind it, "START" that there was a second one, "a page" that all was
 * sent.
 */
final class AnswerFormat extends Format {
    private static final String CHANNEL = "memory-answers";
    private static final int STEPS = 4; // three PINGs, and the end
    private static final int GREETING = 0x766d6672;
    private static final Settings PLAIN =
            Settings.NONE.capability("return-path").parameter("silence-timeout", "60");
    private static final Settings ACK = PLAIN.capability("switchover-ack");

    /** What no answer is, or not at this time. */
    private static final List<Sample> OTHERS =
            List.of(
                    sample(message(2, 1), message(2, 1)),
                    sample(message(1, 0), message(1, 0), message(1, 1)),
                    sample(message(1, 1), message(1, 0)),
                    sample(message(7), message(7)),
                    sample(message(2, GREETING), message(2, GREETING)),
                    sample(reason("no such device"), message(1, 1)),
                    sample(reason("x".repeat(512)), reason("y".repeat(512)), message(1, 1)),
                    sample(message(3, 0, 1, 2), message(4, 0, 1, 2), message(5, 3), message(6, 1)),
                    sample(message(9), message(0), message(0xffff, 1, 2, 3)));

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

    private static Sample sample(byte[]... messages) {
        int length = 0;
        for (byte[] message : messages) length += message.length;
        ByteBuffer all = ByteBuffer.allocate(length);
        Structure found = new Structure();
        for (byte[] message : messages) {
            int at = all.position();
            found.field(at, 2);
            found.field(at + 2, 2);
            for (int i = 4; i + 4 <= Math.min(message.length, 32); i += 4) found.field(at + i, 4);
            found.piece(at, at + message.length);
            all.put(message);
        }
        return Sample.of("answer", Settings.NONE, each -> found, all.array());
    }

    /**
     * What a destination answers to the step: with switchover-ack, and if it lives now and then.
     */
    private static Sample genuine(int step, int number, boolean acknowledges) {
        if (number == Destination.END) return sample(message(2, GREETING), message(1, 0));
        if (step == 0 && acknowledges) return sample(message(2, number), message(7));
        return sample(message(2, number));
    }

    @Override
    void run(SplittableRandom random, Trial trial) throws Exception {
        boolean acknowledges = random.nextInt(3) == 0;
        int changed = random.nextInt(STEPS + 1);
        int last = random.nextInt(4) == 0 ? changed + 1 : Integer.MAX_VALUE;
        SplittableRandom its = random.split();
        Destination destination =
                new Destination(
                        (step, number) -> {
                            if (step == last) return null;
                            Sample genuine = genuine(step, number, acknowledges);
                            if (step != changed) return genuine.input().main();
                            return genuine.changed(its, one(its, OTHERS)).main();
                        });
        attempt(destination, acknowledges ? ACK : PLAIN, trial);
    }

    private void attempt(Destination destination, Settings settings, Trial trial)
            throws InterruptedException {
        channel.meet(List.of(destination));
        try {
            Migration save = engine.send(SmallMachine.full(), CHANNEL + ":x", settings);
            if (!save.await(LoadFormat.BOUND)) {
                trial.other("hangs: " + Hang.describe(save.name()));
                save.yank();
            } else if (save.state() == MigrationState.COMPLETED) {
                trial.accepted();
            } else {
                trial.failed(save.failure().orElseThrow());
            }
        } catch (IOException | RuntimeException | Error e) {
            trial.failed(e);
        } finally {
            destination.hangUp(); // who listens for a late word hears that there is none
        }
        trial.header = destination.steps() > 1;
        trial.start = destination.steps() > 2;
        trial.page = destination.hasEnd();
    }

    /** What a source says to a destination that is genuine, with switchover-ack or without. */
    Sample heard(boolean acknowledges) throws InterruptedException {
        Destination destination =
                new Destination(
                        (step, number) -> genuine(step, number, acknowledges).input().main());
        Trial trial = new Trial();
        Settings settings = acknowledges ? ACK : PLAIN;
        attempt(destination, settings.parameter("silence-timeout", "20000"), trial);
        if (trial.end() != Trial.End.ACCEPTED || destination.steps() != STEPS) {
            throw new IllegalStateException("genuine answers are not taken: " + trial.why());
        }
        return Sample.stream(
                "ours, with return path",
                destination.come(),
                Settings.NONE.capability("return-path"));
    }
}
