package org.vmferry.multifd;

/** The values of zero-page-detection (rule MFD-14). */
final class ZeroDetection {
    /** The channels look, and list what they find in their packets. */
    static final String MULTIFD = "multifd";

    /** The migration thread looks, and says what it finds in the main stream. */
    static final String LEGACY = "legacy";

    /** Nobody looks. */
    static final String NONE = "none";

    private ZeroDetection() {}
}
