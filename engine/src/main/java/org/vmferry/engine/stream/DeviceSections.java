package org.vmferry.engine.stream;

import org.vmferry.spi.machine.DeviceState;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.machine.SectionStore.Configuration;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Writes what follows RAM: FULL sections, EOF, VMDESCRIPTION (rules STR-3, STR-7, STR-8). */
public final class DeviceSections {
    static final int FIRST_ID = 2;

    private DeviceSections() {}

    /**
     * Writes the devices of a machine of ours, and the run state it had.
     *
     * @param configuration what the stream began with
     * @param state that the guest had
     * @return the VMDESCRIPTION, for {@link #end}
     */
    public static byte[] write(
            StreamOut out,
            Configuration configuration,
            List<DeviceState> devices,
            RunState state,
            int pageSize)
            throws IOException {
        List<Devices.Saved> all = Devices.save(devices);
        List<DescriptionWriter.Written> written = new ArrayList<>();
        int id = FIRST_ID;
        for (Devices.Saved saved : all) {
            DeviceState device = saved.device();
            head(out, id, device.id(), device.instance(), device.version());
            Devices.write(out, saved.payload());
            foot(out, id++);
            written.add(
                    new DescriptionWriter.Written(
                            device.id(), device.instance(), device.version(), saved.described()));
        }
        head(out, id, GlobalState.ID, 0, GlobalState.VERSION);
        out.bytes(MemorySegment.ofArray(GlobalState.encode(state)));
        foot(out, id);
        written.add(
                new DescriptionWriter.Written(
                        GlobalState.ID, 0, GlobalState.VERSION, GlobalState.FIELDS));
        return DescriptionWriter.describe(configuration, pageSize, written);
    }

    private static void head(StreamOut out, int id, String name, int instance, int version)
            throws IOException {
        head(out, Wire.FULL, id, name, instance, version);
    }

    static void head(StreamOut out, int mark, int id, String name, int instance, int version)
            throws IOException {
        out.u8(mark);
        out.u32(id);
        out.str8(name);
        out.u32(instance);
        out.u32(version);
    }

    static void foot(StreamOut out, int id) throws IOException {
        out.u8(Wire.FOOTER);
        out.u32(id);
    }

    /**
     * Ends the stream: from its first byte on the destination may have everything.
     *
     * @param description empty if there is none
     */
    public static void end(StreamOut out, byte[] description) throws IOException {
        out.u8(Wire.EOF);
        if (description.length == 0) return;
        out.u8(Wire.VMDESCRIPTION);
        out.u32(description.length);
        out.bytes(MemorySegment.ofArray(description));
    }
}
