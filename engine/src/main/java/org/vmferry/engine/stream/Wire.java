package org.vmferry.engine.stream;

import org.vmferry.spi.MigrationException;

/** The main stream's numbers (docs/wire/stream.md). */
public final class Wire {
    /** "QEVM" (rule STR-1). */
    public static final int MAGIC = 0x5145564d;

    /** The stream's version (rule STR-1). */
    public static final int VERSION = 3;

    /** Marks (rules STR-2 to STR-7): the byte that each part begins with. */
    public static final int EOF = 0x00,
            START = 0x01,
            PART = 0x02,
            END = 0x03,
            FULL = 0x04,
            SUBSECTION = 0x05,
            VMDESCRIPTION = 0x06,
            CONFIGURATION = 0x07,
            COMMAND = 0x08,
            FOOTER = 0x7e;

    /** The RAM section's name, instance and version (rule RAM-1). */
    public static final String RAM = "ram";

    /** The RAM section's version (rule RAM-1). */
    public static final int RAM_VERSION = 4;

    /** Flags of RAM records: the low bits of an offset (rule RAM-3). */
    public static final int ZERO = 0x02,
            MEM_SIZE = 0x04,
            PAGE = 0x08,
            EOS = 0x10,
            CONTINUE = 0x20,
            XBZRLE = 0x40,
            HOOK = 0x80,
            COMPRESS = 0x100,
            MULTIFD_FLUSH = 0x200;

    /** How long a record of a zero page is that continues a block (rules RAM-4, RAM-6). */
    public static final int ZERO_BYTES = 9;

    private Wire() {}

    /** Commands, and the length of their payload; -1 for those we never take (rule STR-6). */
    public enum Command {
        OPEN_RETURN_PATH(1, 0),
        PING(2, 4),
        POSTCOPY_ADVISE(3, 16),
        POSTCOPY_LISTEN(4, -1),
        POSTCOPY_RUN(5, -1),
        POSTCOPY_RAM_DISCARD(6, -1),
        PACKAGED(7, -1),
        ENABLE_COLO(8, -1),
        POSTCOPY_RESUME(9, -1),
        RECV_BITMAP(10, -1),
        SWITCHOVER_START(11, 0);

        private final int number;
        private final int length;

        Command(int number, int length) {
            this.number = number;
            this.length = length;
        }

        /** The command's number on the wire. */
        public int number() {
            return number;
        }

        static Command of(int number, int length, long position) throws MigrationException {
            for (Command command : values()) {
                if (command.number != number) continue;
                if (command.length < 0) {
                    throw MigrationException.peer(
                            "command %s at %d: postcopy and COLO are not built", command, position);
                }
                // With nothing but dirty bitmaps to come later an ADVISE is empty.
                boolean empty = command == POSTCOPY_ADVISE && length == 0;
                if (command.length != length && !empty) {
                    throw MigrationException.peer(
                            "command %s at %d has length %d, must be %d",
                            command, position, length, command.length);
                }
                return command;
            }
            throw MigrationException.peer("unknown command %d at %d", number, position);
        }
    }
}
