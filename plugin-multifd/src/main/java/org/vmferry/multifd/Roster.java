package org.vmferry.multifd;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/**
 * Which channel holds which id (rule MFD-2). A channel holds its id while it lives; those of a
 * source that has ended give theirs up until all are there. Any thread.
 */
final class Roster {
    private static final Logger log = Log.of(Roster.class);

    // The end of a source that died before is here already, and only to be noticed.
    private static final long GRACE_MS = 1_000;
    private static final long LOOK_MS = 100;

    private final WorkerThreads workers;
    private final Session session;
    private final Condition changed;
    private final Member[] members; // by id; null until a hello. Guarded by the workers' lock
    private volatile UUID foreign; // what another machine's hello said last

    Roster(WorkerThreads workers, Session session) {
        this.workers = workers;
        this.session = session;
        members = new Member[session.options().get(MultifdOptions.CHANNELS)];
        changed = workers.condition();
    }

    /**
     * Reads a channel's hello.
     *
     * @return empty if it is for another machine, or ends
     * @throws IOException if it says no hello
     */
    Optional<Member> greet(Channel channel) throws IOException {
        CountedInput source = new CountedInput(channel);
        Hello hello;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Hello.BYTES);
            if (!source.fill(bytes.asSlice(Hello.MAGIC_BYTES).asByteBuffer()))
                return Optional.empty();
            hello = Hello.decode(bytes, source.peer());
        }
        Member member = new Member(hello.id(), hello.uuid(), source);
        if (session.takesUuid() || hello.uuid().equals(session.uuid())) {
            source.name(hello.id());
            return Optional.of(member);
        }
        sendAway(member, session.uuid());
        return Optional.empty();
    }

    private void sendAway(Member member, UUID ours) {
        foreign = member.uuid;
        log.warn(
                "{}: the channel from {} is for machine {}, this one is {}",
                session.name(),
                member.source.peer(),
                foreign,
                ours);
    }

    /**
     * Gives a channel its id, whose worker tells meanwhile whether it lives: one that has ended
     * already is nobody's. One that lives and can't have its id fails the migration. Where the
     * machine is the one that the first says, one for another is nobody's either, unless the first
     * has ended.
     *
     * @return false if it has ended, or is for another machine
     */
    boolean seat(Member member) throws IOException {
        MigrationException tooMany;
        workers.lock.lock();
        try {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GRACE_MS);
            while (!member.left && (otherMachine(member).isPresent() || !isFree(member.id))) {
                boolean certain = member.begun && inItsWay(member);
                long rest = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
                if (certain || rest <= 0) break;
                workers.await(changed, rest);
            }
            if (member.left) return false;
            Optional<UUID> ours = otherMachine(member);
            if (ours.isPresent()) {
                member.left = true;
                sendAway(member, ours.get());
                return false;
            }
            if (isFree(member.id)) {
                members[member.id] = member;
                member.seated = true;
                changed.signalAll();
                return true;
            }
            tooMany = tooMany(member);
        } finally {
            workers.lock.unlock();
        }
        workers.fail(tooMany); // its pages would be missed
        throw tooMany;
    }

    /** Which machine those that have an id are for: all are for one. */
    private Optional<UUID> seated() {
        return Arrays.stream(members).filter(Objects::nonNull).map(one -> one.uuid).findFirst();
    }

    /** The same, if it is another than this one's. */
    private Optional<UUID> otherMachine(Member member) {
        return seated().filter(id -> !id.equals(member.uuid));
    }

    /** Whether what it can't have its id for is there to stay. */
    private boolean inItsWay(Member member) {
        if (noSuchId(member.id)) return true;
        return Arrays.stream(members)
                .filter(one -> one != null && one.begun)
                .anyMatch(one -> one.id == member.id || !one.uuid.equals(member.uuid));
    }

    private boolean noSuchId(int id) {
        return id >= members.length;
    }

    private boolean isFree(int id) {
        return !noSuchId(id) && members[id] == null;
    }

    private MigrationException tooMany(Member member) {
        return noSuchId(member.id)
                ? MigrationException.peer(
                        "multifd: %s opened a channel with id %d, there are %d here"
                                + " (multifd-channels must be the same at both ends)",
                        member.source.peer(), member.id, members.length)
                : MigrationException.peer(
                        "multifd: %s opened a channel with id %d, which is taken by one from %s",
                        member.source.peer(), member.id, members[member.id].source.peer());
    }

    /** Its first packet has begun. */
    void begun(Member member) {
        workers.lock.lock();
        try {
            member.begun = true;
            changed.signalAll();
        } finally {
            workers.lock.unlock();
        }
    }

    /** It ended before its first packet: another may have its id. */
    void leave(Member member) {
        log.info("{}: {} ended before it began", session.name(), member.source.name());
        workers.lock.lock();
        try {
            member.left = true;
            if (member.seated) members[member.id] = null;
            changed.signalAll();
        } finally {
            workers.lock.unlock();
        }
    }

    /**
     * Waits until each channel's first packet has begun, which is the START section's sync: so all
     * of them live.
     *
     * @return all, by id; they don't change any more
     */
    List<Member> awaitAll() throws IOException {
        long began = System.nanoTime();
        long patience = session.connectTimeout();
        workers.lock.lock();
        try {
            while (!complete()) {
                long rest = patience - (System.nanoTime() - began) / 1_000_000;
                if (patience > 0 && rest <= 0) throw missing(patience);
                // The migration may fail, or be cancelled, where no channel tells.
                workers.await(changed, patience == 0 ? LOOK_MS : Math.min(rest, LOOK_MS));
                session.check();
            }
            if (session.takesUuid()) session.took(members[0].uuid);
            return List.of(members);
        } finally {
            workers.lock.unlock();
        }
    }

    private boolean complete() {
        for (Member member : members) if (member == null || !member.begun) return false;
        return true;
    }

    private MigrationException missing(long patience) {
        long came = Arrays.stream(members).filter(one -> one != null).count();
        long begun = Arrays.stream(members).filter(one -> one != null && one.begun).count();
        String others =
                foreign == null
                        ? ""
                        : "; others came for machine %s, this one is %s"
                                .formatted(foreign, seated().orElseGet(session::uuid));
        return MigrationException.peer(
                "multifd: a channel is missing: of %d, %d said hello and %d began within %d ms"
                    + " (connect-timeout); are there as many at both ends (multifd-channels)?%s",
                members.length, came, begun, patience, others);
    }
}
