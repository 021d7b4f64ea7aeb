package org.vmferry.engine.option;

import org.vmferry.spi.Mode;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Parameter;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** The capabilities and parameters that the engine itself obeys, under QEMU's names. */
@Status(Status.Level.EXPERIMENTAL)
public final class EngineOptions {
    /** The destination answers: its failure reaches the source. */
    public static final Capability RETURN_PATH = new Capability("return-path");

    /** Waits, with the guest paused, for the operator's word before the switch-over. */
    public static final Capability PAUSE_BEFORE_SWITCHOVER =
            new Capability("pause-before-switchover");

    /** The guest is not paused before the destination says that it is ready for it. */
    public static final Capability SWITCHOVER_ACK =
            new Capability("switchover-ack", Set.of("return-path"), Set.of());

    /** Tells QMP clients of every state and round. */
    public static final Capability EVENTS = new Capability("events");

    /** The destination refuses another virtual machine's UUID. */
    public static final Capability VALIDATE_UUID = new Capability("validate-uuid");

    /** Leaves out RAM blocks that are shared files. */
    public static final Capability X_IGNORE_SHARED = new Capability("x-ignore-shared");

    /** Throttles a guest that dirties faster than can be sent. */
    public static final Capability AUTO_CONVERGE = new Capability("auto-converge");

    /** Bytes/s; 0 = no limit. */
    public static final Parameter<Long> MAX_BANDWIDTH =
            Parameter.amount("max-bandwidth", 128L << 20, Long.MAX_VALUE, "bytes/s").asLive();

    /** Bytes/s to reckon the switch-over with; 0 = as measured. */
    public static final Parameter<Long> AVAIL_SWITCHOVER_BANDWIDTH =
            Parameter.amount("avail-switchover-bandwidth", 0, Long.MAX_VALUE, "bytes/s").asLive();

    /** Ms that the guest may stand still. */
    public static final Parameter<Long> DOWNTIME_LIMIT =
            Parameter.amount("downtime-limit", 300, 2_000_000, "ms").asLive();

    /**
     * Rounds after which a guest that does not converge fails the migration; 0 = never. Ours, not
     * QEMU's.
     */
    public static final Parameter<Integer> ROUND_LIMIT =
            Parameter.count("round-limit", 0, 0, Integer.MAX_VALUE).asLive();

    /**
     * Ms, 0 for ever, that a source's peer may give no sign of life while something is waited for:
     * take no byte that is offered to it, and leave a PING or the stream's end without an answer.
     * It counts from the last byte that the peer took, or the last that it said. Likewise how long
     * a destination waits where it can't tell whether a stream has ended. Ours, not QEMU's.
     */
    public static final Parameter<Long> SILENCE_TIMEOUT =
            Parameter.amount("silence-timeout", 60_000, Integer.MAX_VALUE, "ms").asLive();

    /**
     * Ms of silence after which a destination that keeps sections takes what looks like a stream's
     * end, without a VMDESCRIPTION, for the end. Ours, not QEMU's.
     */
    public static final Parameter<Long> EOF_SILENCE =
            Parameter.amount("eof-silence", 3_000, Integer.MAX_VALUE, "ms");

    /**
     * Bytes in a page of the target, a power of two, for a load from a machine that nothing else
     * tells of (rule STR-16); 0 = as found. Ours, not QEMU's.
     */
    public static final Parameter<Integer> PAGE_SIZE = Parameter.count("page-size", 0, 0, 1 << 16);

    /** One of {@link Mode}, by its wire name. */
    public static final Parameter<String> MODE =
            Parameter.choice("mode", Arrays.stream(Mode.values()).map(Mode::wireName).toList());

    /** The codec. Read values with this constant; what may be set is what was found. */
    public static final Parameter<String> MULTIFD_COMPRESSION =
            Parameter.choice("multifd-compression", List.of("none"));

    /** Where TLS credentials are; empty = no TLS. */
    public static final Parameter<String> TLS_CREDS = Parameter.text("tls-creds");

    /** The name to expect in the peer's certificate, if not the address's. */
    public static final Parameter<String> TLS_HOSTNAME = Parameter.text("tls-hostname");

    /**
     * Whether the peer's certificate is checked; off gives secrecy from listeners only. Ours, not
     * QEMU's, which has it in the credentials.
     */
    public static final Parameter<Boolean> TLS_VERIFY_PEER =
            Parameter.flag("tls-verify-peer", true);

    /** Who may connect. */
    public static final Parameter<String> TLS_AUTHZ = Parameter.text("tls-authz");

    /** Percent that auto-converge begins with. */
    public static final Parameter<Integer> CPU_THROTTLE_INITIAL =
            Parameter.count("cpu-throttle-initial", 20, 1, 99).asLive();

    /** Percent that auto-converge adds. */
    public static final Parameter<Integer> CPU_THROTTLE_INCREMENT =
            Parameter.count("cpu-throttle-increment", 10, 1, 99).asLive();

    /** Percent that auto-converge ends with. */
    public static final Parameter<Integer> MAX_CPU_THROTTLE =
            Parameter.count("max-cpu-throttle", 99, 1, 99).asLive();

    /** Percent of the bytes sent that were dirtied meanwhile, from which a round counts as bad. */
    public static final Parameter<Integer> THROTTLE_TRIGGER_THRESHOLD =
            Parameter.count("throttle-trigger-threshold", 50, 1, 100).asLive();

    private EngineOptions() {}

    /**
     * All of them.
     *
     * @param codecs ids of those found, which multifd-compression takes beside "none"
     * @return in a person's order
     */
    public static List<Option<?>> all(Collection<String> codecs) {
        List<String> words = new ArrayList<>(List.of(MULTIFD_COMPRESSION.defaultValue()));
        codecs.stream().sorted().forEach(words::add);
        return List.of(
                RETURN_PATH,
                PAUSE_BEFORE_SWITCHOVER,
                SWITCHOVER_ACK,
                EVENTS,
                VALIDATE_UUID,
                X_IGNORE_SHARED,
                AUTO_CONVERGE,
                MODE,
                MAX_BANDWIDTH,
                AVAIL_SWITCHOVER_BANDWIDTH,
                DOWNTIME_LIMIT,
                ROUND_LIMIT,
                SILENCE_TIMEOUT,
                EOF_SILENCE,
                PAGE_SIZE,
                Parameter.choice(MULTIFD_COMPRESSION.name(), words),
                TLS_CREDS,
                TLS_HOSTNAME,
                TLS_AUTHZ,
                TLS_VERIFY_PEER,
                CPU_THROTTLE_INITIAL,
                CPU_THROTTLE_INCREMENT,
                MAX_CPU_THROTTLE,
                THROTTLE_TRIGGER_THRESHOLD);
    }
}
