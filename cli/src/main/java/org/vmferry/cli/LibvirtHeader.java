package org.vmferry.cli;

import org.vmferry.spi.MigrationException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * What stands before the stream in a libvirt save image (docs/wire/libvirt.md).
 *
 * <pre>
 *  0  magic, 16 bytes     "LibvirtQemudSave", or ...Part while it is being written
 * 16  u32 version         1 or 2; above: the other byte order
 * 20  u32 data_len        bytes of XML and cookie after this header
 * 24  u32 was_running
 * 28  u32 format          of what follows: see FORMATS
 * 32  u32 cookieOffset    in the data, 0 for none
 * 36  spare
 * 92  the data, then the stream
 * </pre>
 *
 * @param complete false for one whose writer never finished
 * @param running whether the guest ran when it was saved
 * @param format index into {@link #FORMATS}
 * @param streamOffset where the stream begins, in bytes from the file's beginning
 */
record LibvirtHeader(boolean complete, boolean running, int format, long streamOffset) {
    static final int LENGTH = 92;
    static final List<String> FORMATS =
            List.of("raw", "gzip", "bzip2", "xz", "lzop", "zstd", "sparse");

    private static final int MAGIC_LENGTH = 16;
    private static final int DATA_LIMIT = 64 << 20;
    private static final String DOMAIN = "<domain";
    private static final String NAME = "<name>";
    private static final String NAME_END = "</name>";
    private static final int LONGEST_NAME = 1000;

    /** The name is the first thing in a domain's XML: further on it is not looked for, in bytes. */
    static final int NAME_WITHIN = 64 << 10;

    /**
     * Reads the header.
     *
     * @param bytes the file's first {@link #LENGTH} bytes, or fewer if it is shorter
     * @param size of the file
     * @return empty if this is no save image
     * @throws MigrationException if it is one that makes no sense
     */
    static Optional<LibvirtHeader> parse(byte[] bytes, long size) throws MigrationException {
        if (bytes.length < MAGIC_LENGTH) return Optional.empty();
        String magic = new String(bytes, 0, MAGIC_LENGTH, StandardCharsets.ISO_8859_1);
        boolean complete = magic.equals("LibvirtQemudSave");
        if (!complete && !magic.equals("LibvirtQemudPart")) return Optional.empty();
        if (bytes.length < LENGTH)
            throw MigrationException.peer(
                    "libvirt's header takes %d bytes, the file ends after %d",
                    LENGTH, bytes.length);
        ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (version(header) > 2) header.order(ByteOrder.BIG_ENDIAN);
        if (version(header) < 1 || version(header) > 2)
            throw MigrationException.peer(
                    "libvirt's header has version %d at byte 16; 1 and 2 are known",
                    version(header));
        long dataLength = unsigned(header, 20);
        if (dataLength > DATA_LIMIT || dataLength > size - LENGTH)
            throw MigrationException.peer(
                    "libvirt's header has data_len %d at byte 20; at most %d are allowed and the"
                            + " file has %d bytes left",
                    dataLength, DATA_LIMIT, size - LENGTH);
        long format = unsigned(header, 28);
        if (format >= FORMATS.size())
            throw MigrationException.peer(
                    "libvirt's header has format %d at byte 28; 0 to %d are known",
                    format, FORMATS.size() - 1);
        long cookie = unsigned(header, 32);
        if (cookie > dataLength)
            throw MigrationException.peer(
                    "libvirt's header has cookieOffset %d at byte 32, beyond its data of %d bytes",
                    cookie, dataLength);
        return Optional.of(
                new LibvirtHeader(
                        complete, header.getInt(24) != 0, (int) format, LENGTH + dataLength));
    }

    private static long version(ByteBuffer header) {
        return unsigned(header, 16);
    }

    private static long unsigned(ByteBuffer header, int position) {
        return Integer.toUnsignedLong(header.getInt(position));
    }

    /** The format's name. */
    String formatName() {
        return FORMATS.get(format);
    }

    /**
     * The domain's name.
     *
     * @param data what stands between header and stream: XML in UTF-8, NUL, more
     * @return empty if it can't be told easily
     */
    static Optional<String> domain(byte[] data) {
        int end = 0;
        while (end < data.length && data[end] != 0) end++;
        return domain(new String(data, 0, end, StandardCharsets.UTF_8));
    }

    /** Looks at no character twice: whoever made the file may have made it for that. */
    private static Optional<String> domain(String xml) {
        for (int at = 0; (at = xml.indexOf(DOMAIN, at)) >= 0; ) {
            at += DOMAIN.length();
            if (at < xml.length() && Character.isLetterOrDigit(xml.charAt(at))) continue;
            at = xml.indexOf('>', at) + 1;
            if (at == 0) break;
            while (at < xml.length() && Character.isWhitespace(xml.charAt(at))) at++;
            if (!xml.startsWith(NAME, at)) continue;
            at += NAME.length();
            int end = xml.indexOf('<', at);
            if (end < 0) break;
            boolean whole = xml.startsWith(NAME_END, end) && end > at;
            if (whole && end - at <= LONGEST_NAME) {
                return Optional.of(unescape(xml.substring(at, end)));
            }
            at = end;
        }
        return Optional.empty();
    }

    private static String unescape(String xml) {
        return xml.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&apos;", "'")
                .replace("&amp;", "&");
    }
}
