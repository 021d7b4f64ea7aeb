package org.vmferry.engine.memory;

/** Who knows of memory which of its pages nobody ever wrote to. Any thread. */
interface Untouched {
    /** Of memory that is like any other. */
    Untouched NOBODY_KNOWS = (offset, bytes) -> false;

    /**
     * Whether a range was zero for sure at some time during this call.
     *
     * @param offset in the memory, of its first byte
     * @param bytes above 0; they lie within the memory
     */
    boolean isKnown(long offset, long bytes);
}
