package org.vmferry.engine.report;

import org.vmferry.spi.Status;

/**
 * Who has the guest: the one side that may run it. As one end sees it; docs/ownership.md has the
 * table for both.
 */
@Status(Status.Level.STABLE)
public enum GuestOwner {
    /** The source: it runs on there, or stays as it was; it did not start at the destination. */
    SOURCE("the guest is the source's"),
    /** The destination: the source's is paused, in POSTMIGRATE, and must not go on. */
    DESTINATION("the guest is the destination's"),
    /**
     * One of them: the stream's end is on its way, or may be. If it is so in the end, the link was
     * lost there, or a destination failed that has no return path to say so; whoever can look at
     * both decides.
     */
    UNKNOWN(
            "it is not known who has the guest: resume it at the source only if it does not run at"
                    + " the destination"),
    /** The snapshot: it is there whole. Where it was saved it is paused, and may go on. */
    SNAPSHOT("the guest is in the snapshot");

    private final String sentence;

    GuestOwner(String sentence) {
        this.sentence = sentence;
    }

    /**
     * The same for a person.
     *
     * @return one sentence, without its full stop
     */
    public String sentence() {
        return sentence;
    }
}
