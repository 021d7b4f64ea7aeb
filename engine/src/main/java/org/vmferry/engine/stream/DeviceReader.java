package org.vmferry.engine.stream;

import org.slf4j.Logger;
import org.vmferry.spi.Log;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Has each section loaded by its device. */
public final class DeviceReader extends StreamReader {
    private static final Logger LOG = Log.of(DeviceReader.class);
    private final Devices.Loader devices;

    /**
     * A reader.
     *
     * @param devices the machine's
     */
    public DeviceReader(Session session, StreamIn in, Handler handler, List<DeviceState> devices) {
        super(session, in, handler);
        this.devices = new Devices.Loader(devices);
    }

    @Override
    int full() throws IOException {
        int id = in.u32();
        String name = in.str8();
        int instance = in.u32();
        int version = in.u32();
        devices.load(in, name, instance, version);
        footer(id);
        return in.u8();
    }

    @Override
    boolean other(int id, String name, int instance, int version, long at)
            throws MigrationException {
        throw MigrationException.peer(
                "%s", UnknownSections.goesOn(name, instance, at) + "only 'ram' 0 may");
    }

    @Override
    void withoutEnd(long at) throws MigrationException {
        throw MigrationException.peer(
                "the stream ends at %d without the end of RAM, as background-snapshot leaves"
                        + " it; 'vmferry convert' makes a whole one of such a file",
                at);
    }

    @Override
    Result finish(int mark) throws IOException {
        checkRam(in.position() - 1);
        // On a channel nothing behind the end is waited for (rule STR-8).
        if (unknown.file().isPresent()) skipDescription();
        return whole(devices.finish(), List.of());
    }

    private void skipDescription() throws IOException {
        end = in.position();
        if (in.atEnd()) {
            LOG.warn("{}: the stream ends without a VMDESCRIPTION", session.name());
            return;
        }
        long at = in.position();
        int mark = in.u8();
        if (mark != Wire.VMDESCRIPTION) {
            LOG.warn(
                    "{}: the stream is followed at {} by 0x{}, no VMDESCRIPTION",
                    session.name(),
                    at,
                    Integer.toHexString(mark));
            return;
        }
        int length = in.u32();
        if (length < 0 || length > VmDescription.LONGEST) {
            throw MigrationException.peer(
                    "the VMDESCRIPTION at %d has %d bytes, allowed are %d",
                    at, Integer.toUnsignedLong(length), VmDescription.LONGEST);
        }
        byte[] json = new byte[length];
        in.bytes(MemorySegment.ofArray(json));
        end = in.position();
        described(json);
    }
}
