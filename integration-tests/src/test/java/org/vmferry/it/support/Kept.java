package org.vmferry.it.support;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.Engine;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.SectionStore.Section;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What an archive keeps of a file. */
public final class Kept {
    private Kept() {}

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
            archive.sections().orElseThrow().sections().forEach(sections::add);
            return sections;
        }
    }
}
