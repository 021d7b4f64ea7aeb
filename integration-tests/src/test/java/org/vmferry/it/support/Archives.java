package org.vmferry.it.support;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.SectionStore.Section;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What an archive keeps of a guest. */
public final class Archives {
    private Archives() {}

    /** Fills an archive with what stands somewhere, and says which capabilities it has. */
    public static void receive(Engine engine, ArchiveMachine archive, String uri) throws Exception {
        Settings settings = Settings.NONE;
        for (String name : engine.capabilities(uri)) settings = settings.capability(name);
        engine.receive(archive, uri, settings).await();
    }

    /** A file's sections. */
    public static List<Section> sections(Path folder, Path file) throws Exception {
        try (ArchiveMachine archive = ArchiveMachine.in(folder)) {
            receive(Engine.create(), archive, "file:" + file);
            List<Section> sections = new ArrayList<>();
            archive.sections().sections().forEach(sections::add);
            return sections;
        }
    }

    /**
     * Where the archive's RAM differs from what the CPU saw, but for the BIOS that lies over it
     * there.
     */
    public static int mismatch(ArchiveMachine archive, byte[] ram) {
        byte[] seen = ram.clone();
        Arrays.fill(seen, 0xf0000, 0x100000, (byte) 0);
        return Arrays.mismatch(ram(archive), seen);
    }

    /** All of the guest's RAM. */
    public static byte[] ram(ArchiveMachine archive) {
        RamBlock block =
                archive.ram().blocks().stream()
                        .filter(b -> b.id().equals("pc.ram"))
                        .findFirst()
                        .orElseThrow();
        byte[] bytes = new byte[Math.toIntExact(block.usedLength())];
        block.read(0, MemorySegment.ofArray(bytes));
        return bytes;
    }
}
