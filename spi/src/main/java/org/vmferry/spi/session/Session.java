package org.vmferry.spi.session;

import org.vmferry.spi.Handed;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.Status;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.ram.Run;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/**
 * One migration, as its parts see it. All methods may be called from any thread.
 *
 * <p>The engine implements it; whoever puts something over it extends {@link ForwardingSession}.
 *
 * <p>Parts keep their state in objects made for the session, never in statics: two migrations in
 * one JVM at once are ordinary.
 */
@Handed
@Status(Status.Level.STABLE)
public interface Session {
    /**
     * A name for log lines and thread names, such as {@code send-3}.
     *
     * @return unique among the migrations of one engine
     */
    String name();

    /**
     * The options that the migration began with; they don't change while the session lasts.
     *
     * @return validated
     */
    Options options();

    /**
     * The value now in force of a parameter that may change while a migration runs ({@link
     * Parameter#live}): to be asked for each time it is needed.
     *
     * @param <T> its type
     * @param parameter which
     * @return validated
     */
    <T> T current(Parameter<T> parameter);

    /**
     * For how long a peer may keep somebody waiting who waits for a connection, a handshake, or
     * what a channel says of itself: {@code connect-timeout}.
     *
     * @return ms; 0 for ever
     */
    long connectTimeout();

    /**
     * For how long a peer may give no byte to somebody who waits for bytes that it has sent, or is
     * just sending: {@code silence-timeout}, which may change meanwhile.
     *
     * @return ms; 0 for ever
     */
    long silence();

    /**
     * The virtual machine's UUID.
     *
     * @return zeros if it has none
     */
    UUID uuid();

    /**
     * Whether this destination learns from its source which machine it is: an archive that has met
     * none does. A carrier whose channels say a UUID then takes the one on which they agree, and
     * tells it by {@link #took}; elsewhere it takes {@link #uuid} alone.
     *
     * @return false once it is known
     */
    boolean takesUuid();

    /**
     * The machine's UUID has become known: to be called once all of a carrier's channels have said
     * the same.
     *
     * @param said zeros if the machine has none
     */
    void took(UUID said);

    /**
     * The codec that was asked for.
     *
     * @return empty for "none"
     */
    Optional<CompressionProvider> codec();

    /**
     * Waits until so many bytes may be sent under {@code max-bandwidth}. To be called by whoever
     * sends page data, before it does, with a run's bytes at once.
     *
     * @param bytes how many, at least 0
     * @throws IOException if the migration has failed or was cancelled meanwhile
     */
    void permit(long bytes) throws IOException;

    /**
     * Fails the migration. The first failure wins; later ones are suppressed into it. Everything
     * that hangs in one of the session's channels is let go.
     *
     * @param cause why
     */
    void fail(Throwable cause);

    /**
     * Throws if the migration has failed or was cancelled: for loops that would not notice
     * otherwise.
     *
     * @throws MigrationException the migration's error
     */
    void check() throws MigrationException;

    /**
     * Something of a block came, be it only the word that a page is zero. To be called by whoever
     * reads it, once a block or more often, from any thread: with x-ignore-shared a block of which
     * nothing came is one that the source left out.
     *
     * @param block one that was announced
     */
    void came(RamBlock block);

    /**
     * The content of pages comes. To be called by whoever writes it into a block, before the first
     * of their bytes is, from any thread: until then a page of a block that {@link
     * RamBlock#isFresh() is fresh} {@link RamBlock#isKnownZero is known to be zero}.
     *
     * @param run pages of a block that was announced
     */
    void arrives(Run run);

    /**
     * Where to count what was moved.
     *
     * @return never null
     */
    Counters counters();

    /**
     * What the parts of a migration count, for its statistics. A page is counted once it was sent
     * or has come: what a source has not counted yet remains to be sent.
     *
     * <p>Whoever moves a page counts it, for nobody else knows both when and as what. A carrier's
     * {@code send} returns before a page has left, and what comes on its channels it alone reads.
     * Whether a page is zero is found where its bytes are, on a carrier's or a worker's thread, and
     * a loader passes over pages that the file does not have without having them moved. The engine
     * counts what it moves itself: the records of the main stream. That each page is counted once
     * the suites hold (rules CAR-8, CAR-11, LAY-6).
     */
    @Handed
    @Status(Status.Level.STABLE)
    interface Counters {
        /**
         * Pages that were moved with their content.
         *
         * @param count how many
         */
        void normalPages(long count);

        /**
         * Pages that were found or announced to be zero.
         *
         * @param count how many
         */
        void zeroPages(long count);

        /**
         * Bytes that went over channels other than the main one, or straight to a place in the
         * file.
         *
         * @param count how many
         */
        void bytes(long count);
    }
}
