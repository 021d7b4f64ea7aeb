package org.vmferry.it.fuzz;

import org.vmferry.it.fuzz.Coverage.Floor;

import java.util.List;

/**
 * What reads inputs, and how much of it a long run of the fuzzer runs. A floor is what 20,000
 * inputs reached, less some points for other seeds. It is below that where the rest is no reader:
 * what writes, what a broken connection ends, what needs a QEMU or a file that can be mapped.
 */
final class Floors {
    /** From so many inputs on, of all formats. */
    static final long INPUTS = 20_000;

    static final List<Floor> ALL =
            List.of(
                    new Floor("engine/stream/StreamHeader", 82),
                    new Floor("engine/stream/StreamReader", 91),
                    new Floor("engine/stream/StreamIn", 73),
                    new Floor("engine/stream/Wire", 77),
                    new Floor("engine/stream/DeviceReader", 83),
                    new Floor("engine/stream/DeviceSections", 94),
                    new Floor("engine/stream/Devices", 77),
                    new Floor("engine/stream/KeptReader", 89),
                    new Floor("engine/stream/KeptSections", 71),
                    new Floor("engine/stream/TakenSections", 90),
                    new Floor("engine/stream/OpaqueSections", 89),
                    new Floor("engine/stream/Readings", 90),
                    new Floor("engine/stream/ReadingSearch", 86),
                    new Floor("engine/stream/Divisions", 90),
                    new Floor("engine/stream/Cutter", 92),
                    new Floor("engine/stream/Tape", 89),
                    new Floor("engine/stream/Payload", 74),
                    new Floor("engine/stream/HashTable", 71),
                    new Floor("engine/stream/DirtyBitmap", 87),
                    new Floor("engine/stream/StorageAttributes", 50),
                    new Floor("engine/stream/UnknownSections", 83),
                    new Floor("engine/stream/GlobalState", 90),
                    new Floor("engine/stream/PageSizeTable", 82),
                    new Floor("engine/stream/OtherFormat", 88),
                    new Floor("engine/stream/VmDescription", 85),
                    new Floor("engine/stream/FieldReader", 85),
                    new Floor("engine/stream/Trailer", 57),
                    new Floor("engine/ram/InlineIn", 93),
                    new Floor("engine/ram/PlacedIn", 93),
                    new Floor("engine/ram/RamSection", 76),
                    new Floor("engine/ram/RecordWalk", 81),
                    new Floor("engine/ram/Xbzrle", 92),
                    new Floor("engine/migration/Arrivals", 83),
                    new Floor("engine/migration/PeekedChannel", 88),
                    new Floor("engine/migration/SnapshotInspector", 87),
                    new Floor("engine/migration/AnswerListener", 68),
                    new Floor("engine/tls/Handshake", 70),
                    new Floor("engine/tls/Records", 85),
                    new Floor("engine/tls/TlsChannel", 68),
                    new Floor("engine/tls/PeerCertificate", 50),
                    new Floor("engine/json/Json", 80),
                    new Floor("engine/qmp/Framer", 93),
                    new Floor("engine/qmp/Client", 73),
                    new Floor("engine/qmp/Arguments", 77),
                    new Floor("engine/qmp/TypeCheck", 90),
                    new Floor("engine/qmp/OptionCommands", 83),
                    new Floor("engine/discovery/Scan", 63),
                    new Floor("engine/discovery/PluginFolder", 78),
                    new Floor("engine/discovery/RejectedPlugin", 90),
                    new Floor("mappedram/MappedRamHeader", 94),
                    new Floor("mappedram/MappedRamBlock", 90),
                    new Floor("mappedram/MappedRamLoader", 79),
                    new Floor("mappedram/HoleMark", 83),
                    new Floor("mappedram/LoadMover", 60),
                    new Floor("multifd/Hello", 93),
                    new Floor("multifd/Packet", 92),
                    new Floor("multifd/PacketNumbers", 85),
                    new Floor("multifd/ReceiveChannel", 87),
                    new Floor("multifd/MultifdReceiver", 78),
                    new Floor("multifd/CountedInput", 90),
                    new Floor("multifd/ZlibCodec", 75),
                    new Floor("zstd/FrameHeader", 76),
                    new Floor("zstd/ZstdFrames", 74),
                    new Floor("cli/LibvirtHeader", 87),
                    new Floor("cli/Recognition", 90),
                    new Floor("cli/input/PackedInput", 73),
                    new Floor("cli/input/Unpacking", 82),
                    new Floor("cli/input/UnpackedFile", 74),
                    new Floor("cli/input/WindowedFile", 71));

    private Floors() {}
}
