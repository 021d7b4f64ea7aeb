package org.vmferry.engine.migration;

/**
 * How long what is dirty would take to the destination, by what the last round took: bytes that
 * went over the wire, and the time until the peer had all of them. Used by one thread.
 */
final class Speed {
    /** Bytes; a round of less is over before it says how fast the link is. */
    private static final long TELLING = 1 << 20;

    private final int pageSize;
    private final boolean acknowledged;
    private double perPage; // bytes of a dirty page on the wire
    private double known; // bytes/ms that what was sent is known to have come through with
    private double speed; // bytes/ms to reckon with
    private long sent; // bytes, in the last round
    private double took; // ms that these took
    private double shortest; // ms that an answer took; 0 before there was one
    private double trip; // ms to reckon with for one more answer
    private boolean first = true;

    /**
     * No round yet.
     *
     * @param acknowledged whether the peer says when it has a round
     */
    Speed(int pageSize, boolean acknowledged) {
        this.pageSize = pageSize;
        this.acknowledged = acknowledged;
        perPage = pageSize;
    }

    /**
     * A round was handed to the system. As long as sockets' buffers take it, that says little: with
     * a peer that answers it only tells whether to ask.
     *
     * @param bytes on all channels
     * @param normal pages among them with their content
     */
    void round(long bytes, long normal, double ms) {
        sent = Math.max(1, bytes);
        took = Math.max(1e-3, ms);
        // The first goes over all of RAM, and says nothing of pages that a guest writes to.
        if (!first && normal > 0) perPage = Math.min(pageSize, (double) sent / normal);
        first = false;
        if (!acknowledged) {
            settle();
            return;
        }
        speed = Math.max(known, sent / took);
        trip = 0; // the shortest so far may have had much to wait for
    }

    /**
     * The peer has taken the last round.
     *
     * @param ms since it began
     * @param waited ms of these, for the answer alone
     */
    void taken(double ms, double waited) {
        took = Math.max(1e-3, ms);
        shortest = shortest == 0 ? waited : Math.min(shortest, waited);
        settle();
    }

    /** From now on a round is judged by what came before it: nobody asks any more. */
    void trustKnown() {
        speed = known;
        trip = shortest;
    }

    private void settle() {
        known = sent >= TELLING ? sent / took : Math.max(known, sent / took);
        trustKnown();
    }

    /**
     * How long dirty pages would take. All count with their content, though some may be zero.
     *
     * @return ms, with a trip there and back for the word that all has come
     */
    double ms(long pages) {
        if (pages == 0) return trip;
        double bytes = pages * perPage;
        // As much as the last round takes as long, and more than that takes longer.
        double likeIt = Math.max(0, took - trip) * Math.min(1, bytes / sent);
        return trip + Math.max(bytes / speed, likeIt);
    }
}
