package org.vmferry.it.faults.thousand;

import org.vmferry.engine.option.Settings;
import org.vmferry.testkit.tls.TestCertificates;

import java.util.Locale;
import java.util.random.RandomGenerator;

/**
 * How a guest travels.
 *
 * @param link over what
 * @param codec of multifd's channels; "" without them
 * @param pauses whether the operator's word is waited for before the switch-over
 * @param mapped whether a file has a place for each page
 * @param strange whether the host's RAM is no native memory, or becomes what it loads from
 */
record Way(
        Link link,
        String codec,
        boolean tls,
        boolean returnPath,
        boolean pauses,
        boolean mapped,
        boolean strange) {
    /** Ms: who is stalled is not waited for longer. */
    static final int SILENCE = 700;

    /** Until somebody is: this machine may be busy. */
    private static final int PATIENCE = 15_000;

    static final int CHANNELS = 2;

    /** Over what. */
    enum Link {
        TCP,
        UNIX,
        /** A live save into a file. */
        SAVE,
        /** A load from a file. */
        LOAD;

        boolean isFile() {
            return this == SAVE || this == LOAD;
        }
    }

    Way(Link link, String codec, boolean tls, boolean returnPath, boolean pauses, boolean mapped) {
        this(link, codec, tls, returnPath, pauses, mapped, false);
    }

    /** Any. */
    static Way of(RandomGenerator random) {
        int kind = random.nextInt(20);
        if (kind < 4) return file(kind < 3 ? Link.SAVE : Link.LOAD, random);
        String[] codecs = {"", "", "none", "zlib", "zstd"};
        return new Way(
                random.nextInt(3) == 0 ? Link.UNIX : Link.TCP,
                codecs[random.nextInt(codecs.length)],
                random.nextInt(4) == 0,
                random.nextInt(3) > 0,
                random.nextInt(5) == 0,
                false);
    }

    private static Way file(Link link, RandomGenerator random) {
        boolean mapped = random.nextBoolean();
        String codec = mapped && random.nextBoolean() ? "none" : "";
        return new Way(link, codec, false, false, false, mapped);
    }

    boolean multifd() {
        return !codec.isEmpty();
    }

    /** How many connections or files it has. */
    int channels() {
        return multifd() ? 1 + CHANNELS : 1;
    }

    /** The settings of one side. */
    Settings settings(Side side, Harm harm, TestCertificates certificates) {
        Settings settings =
                Settings.NONE
                        .parameter("max-bandwidth", "0")
                        .parameter("silence-timeout", "" + PATIENCE)
                        .parameter("connect-timeout", "5000");
        if (mapped) settings = settings.capability("mapped-ram");
        if (returnPath) settings = settings.capability("return-path");
        if (pauses) settings = settings.capability("pause-before-switchover");
        if (multifd()) {
            int channels = CHANNELS + (harm == Harm.EXTRA && side == Side.SOURCE ? 1 : 0);
            settings =
                    settings.capability("multifd")
                            .parameter("multifd-channels", "" + channels)
                            .parameter("multifd-compression", codec);
        }
        if (!tls) return settings;
        return settings.parameter("tls-creds", certificates.folder().toString())
                .parameter("tls-hostname", TestCertificates.HOST);
    }

    @Override
    public String toString() {
        StringBuilder words = new StringBuilder(link.name().toLowerCase(Locale.ROOT));
        if (multifd()) words.append(" multifd=").append(codec);
        if (tls) words.append(" tls");
        if (returnPath) words.append(" return-path");
        if (pauses) words.append(" pause");
        if (mapped) words.append(" mapped-ram");
        if (strange) words.append(" strange");
        return words.toString();
    }
}
