package org.vmferry.it.fuzz;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;

import org.vmferry.engine.Engine;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.fuzz.Structure.Piece;
import org.vmferry.it.support.Captures;
import org.vmferry.spi.Feature;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;

/**
 * multifd's main stream and channels. What one channel carried is dealt to two, and packed anew
 * there, so that it is the same each time.
 */
final class PacketSamples {
    private static final int CHANNELS = 2;
    private static final String FRAMES = "zstd frames"; // which say how much they unpack to
    private static final int BOMB = 192 << 20; // bytes, in a packet of at most 1 MiB

    private final byte[] main;
    private final byte[] only;
    private final List<Piece> packets;

    PacketSamples() throws Exception {
        MemoryChannels record = new MemoryChannels("record", Feature.MANY_CHANNELS);
        record.record();
        Engine engine = new Engine(Plugins.discover().plus(record));
        Settings one = Settings.NONE.capability("multifd").parameter("multifd-channels", "1");
        engine.send(SmallMachine.full(), "record:x", one).await();
        List<byte[]> written = record.written();
        boolean first = ByteBuffer.wrap(written.getFirst()).getInt() == 0x5145564d; // "QEVM"
        main = written.get(first ? 0 : 1);
        only = written.get(first ? 1 : 0);
        List<Piece> pieces = PacketStructure.of(only).pieces();
        packets = pieces.subList(1, pieces.size());
    }

    /**
     * Plain, with zlib, and with zstd, which may begin a frame with each packet; each as it is and
     * with a packet that unpacks to a lot.
     */
    List<Sample> all() throws IOException {
        List<Sample> all = new ArrayList<>();
        for (String method : List.of("none", "zlib", "zstd")) {
            all.add(sample(method, false));
            if (!method.equals("none")) all.add(sample(method, true));
        }
        all.add(sample(FRAMES, false));
        return all;
    }

    /**
     * What a QEMU 10.0 wrote over two channels: a guest of 2 MiB without anything around its CPU;
     * zero pages by their addresses in the packets, or in the main stream (legacy).
     */
    static List<Sample> qemus() throws IOException {
        List<Sample> all = new ArrayList<>();
        for (String name : List.of("none", "zlib", "zstd", "legacy")) {
            ByteBuffer capture = ByteBuffer.wrap(Captures.bytes("multifd-" + name));
            byte[][] parts = new byte[CHANNELS + 1][];
            List<Structure> found = new ArrayList<>();
            for (int i = 0; i < parts.length; i++) {
                parts[i] = new byte[capture.getInt()];
                capture.get(parts[i]);
                found.add(i == 0 ? StreamStructure.of(parts[0]) : PacketStructure.of(parts[i]));
            }
            String method = name.equals("legacy") ? "none" : name;
            all.add(
                    new Sample(
                            name,
                            new Input(parts),
                            found,
                            settings(method).parameter("page-size", "4096")));
        }
        return all;
    }

    private static Settings settings(String method) {
        return Settings.NONE
                .capability("multifd")
                .parameter("multifd-channels", String.valueOf(CHANNELS))
                .parameter("multifd-compression", method)
                .parameter("connect-timeout", "20");
    }

    private Sample sample(String method, boolean bomb) throws IOException {
        Settings settings = settings(method.split(" ")[0]);
        Dealt[] dealt = new Dealt[CHANNELS];
        for (int i = 0; i < CHANNELS; i++) dealt[i] = new Dealt(method, i);
        int next = 0;
        long number = 0;
        for (Piece packet : packets) {
            byte[] bytes = Arrays.copyOfRange(only, packet.from(), packet.to());
            if (ByteBuffer.wrap(bytes).getInt(16) == 0) { // a SYNC: to each
                for (Dealt each : dealt) each.add(bytes, number++, false);
            } else {
                dealt[next++ % CHANNELS].add(bytes, number++, bomb);
            }
        }
        Structure[] found = new Structure[CHANNELS + 1];
        byte[][] parts = new byte[CHANNELS + 1][];
        parts[0] = main;
        found[0] = StreamStructure.of(main);
        for (int i = 0; i < CHANNELS; i++) {
            parts[i + 1] = dealt[i].out.toByteArray();
            found[i + 1] = PacketStructure.of(parts[i + 1]);
        }
        return new Sample(
                method + (bomb ? " bomb" : ""), new Input(parts), List.of(found), settings);
    }

    /** A channel on which what comes is packed, in one stream. */
    private final class Dealt {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream packed = new ByteArrayOutputStream();
        private final OutputStream codec;
        private final int flag;

        Dealt(String method, int id) throws IOException {
            byte[] hello = Arrays.copyOf(only, PacketStructure.HELLO);
            hello[24] = (byte) id;
            out.writeBytes(hello);
            flag = List.of("none", "zlib", "zstd").indexOf(method.split(" ")[0]) << 1;
            codec =
                    switch (method) {
                        case "zlib" -> new DeflaterOutputStream(packed, new Deflater(), true);
                        case "zstd" -> new ZstdOutputStream(packed);
                        case FRAMES -> new Frames(packed);
                        default -> packed;
                    };
        }

        void add(byte[] packet, long number, boolean bomb) throws IOException {
            ByteBuffer all = ByteBuffer.wrap(packet).putLong(24, number);
            int size = all.getInt(16) == 0 ? 0 : all.getInt(20);
            if (size > 0) {
                packed.reset();
                codec.write(packet, packet.length - size, size);
                if (bomb) for (int i = 0; i < BOMB; i += 1 << 20) codec.write(new byte[1 << 20]);
                codec.flush();
                all.putInt(20, packed.size()).putInt(8, all.getInt(8) | flag);
            }
            out.write(packet, 0, packet.length - size);
            if (size > 0) packed.writeTo(out);
        }
    }

    /** What is written at once is a frame. */
    private static final class Frames extends FilterOutputStream {
        Frames(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(Zstd.compress(Arrays.copyOfRange(bytes, from, from + length)));
        }
    }
}
