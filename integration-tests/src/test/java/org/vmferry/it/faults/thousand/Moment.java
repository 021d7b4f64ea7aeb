package org.vmferry.it.faults.thousand;

import org.vmferry.spi.machine.RunState;

import java.util.List;

/** When a fault strikes: at a call of the engine's, which is known to come then. */
enum Moment {
    /** Whatever comes first, at either side. */
    START(Side.SOURCE, true, ""),
    /** The source is about to connect, or to open its file. */
    SET_UP(Side.SOURCE, true, "ChannelTransport.opener", "FileTransport.outgoing"),
    /** A round is over: the guest runs, the log is asked what it has dirtied. */
    ROUNDS(Side.SOURCE, true, "DirtyLog.harvest"),
    /** The source's guest was paused. */
    PAUSED(Side.SOURCE, false, "Machine.enter " + RunState.FINISH_MIGRATE),
    /** The source's first device was saved. */
    DEVICES(Side.SOURCE, false, "DeviceState.save"),
    /** The first byte of the end is about to be sent: the source is committed. */
    END(Side.SOURCE, true, "the end"),
    /** The end was sent. */
    BEHIND_END(Side.SOURCE, false, "the end"),
    /** The snapshot is about to get its name. */
    COMPLETE(Side.SOURCE, true, "OutgoingFile.complete"),
    /** The destination reads RAM's first bytes. */
    ARRIVES(Side.DESTINATION, true, "Machine.ramTarget"),
    /** The destination loads its first device: the source stands. */
    LOADING(Side.DESTINATION, true, "DeviceState.load"),
    /** The destination has everything, and its machine is about to begin. */
    BEGINNING(Side.DESTINATION, true, "Machine.enter " + RunState.RUNNING),
    /** The destination's machine has begun; it has yet to say so. */
    BEGUN(Side.DESTINATION, false, "Machine.enter " + RunState.RUNNING);

    /** Whose call it is. */
    final Side side;

    /** Whether before the call or after it. */
    final boolean before;

    /** Its name, as a {@link Tap} has it. */
    final String call;

    private final List<String> names;

    /**
     * At a call.
     *
     * @param names of which one comes, the first as a rule
     */
    Moment(Side side, boolean before, String... names) {
        this.side = side;
        this.before = before;
        this.names = List.of(names);
        call = names[0];
    }

    boolean is(String name) {
        return names.contains(name);
    }

    /** Whether the source's guest stands then. */
    boolean afterPause() {
        return this != START && this != SET_UP && this != ROUNDS && this != ARRIVES;
    }
}
