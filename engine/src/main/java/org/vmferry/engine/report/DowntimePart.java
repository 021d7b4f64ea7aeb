package org.vmferry.engine.report;

import org.vmferry.spi.Status;

import java.util.Map;
import java.util.stream.Collectors;

/** What a guest stands still for in its switch-over, in this order. */
@Status(Status.Level.STABLE)
public enum DowntimePart {
    /** Its virtual CPUs were stopped: the host's {@code enter(FINISH_MIGRATE)}. Source. */
    STOP("stop"),

    /** The operator's word was waited for (pause-before-switchover). Source. */
    WAIT("wait"),

    /** What was still dirty was handed to the link. Source. */
    DRAIN("drain"),

    /** Its devices were saved and handed to the link. Source. */
    DEVICE_SAVE("device save"),

    /**
     * Until the destination had all of this, its devices loaded; to a file, until it was on disk.
     * Source, with a return path or to a file.
     */
    LINK("link"),

    /**
     * From the end of RAM until the devices were loaded, however long they were in coming.
     * Destination.
     */
    DEVICE_LOAD("device load"),

    /**
     * The guest went on: at a destination the host's {@code enter}, at a source with a return path
     * until it heard of that.
     */
    START("start");

    /**
     * Parts as a person reads them.
     *
     * @param parts ms
     * @return such as {@code stop 0 ms, drain 12 ms}
     */
    public static String list(Map<DowntimePart, Long> parts) {
        return parts.entrySet().stream()
                .map(part -> part.getKey().words + " " + part.getValue() + " ms")
                .collect(Collectors.joining(", "));
    }

    private final String words;

    DowntimePart(String words) {
        this.words = words;
    }

    /**
     * What a person calls it.
     *
     * @return lower case
     */
    public String words() {
        return words;
    }
}
