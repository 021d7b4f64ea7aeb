package org.vmferry.it.fuzz;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** All formats there are. */
final class Formats implements AutoCloseable {
    private final List<Format> all = new ArrayList<>();

    /**
     * Makes their samples.
     *
     * @param folder for files, of which none is left
     */
    Formats(Path folder) throws Exception {
        Samples samples = new Samples(folder);
        List<Sample> streams = samples.streams();
        List<Sample> mapped = samples.mapped();
        List<Sample> qemu = samples.captures();
        List<Sample> files = Samples.all(streams, mapped, samples.files());
        List<Sample> packets = new PacketSamples().all();
        all.add(new InspectFormat("inspect-stream", 300, Samples.all(streams, mapped)));
        all.add(new InspectFormat("inspect-mapped", 150, mapped));
        all.add(new InspectFormat("inspect-files", 40, Samples.all(files, qemu)));
        all.add(LoadFormat.hosts("multifd-host", 20, packets));
        all.add(LoadFormat.archives("multifd-qemu", 10, PacketSamples.qemus(), folder));
        AnswerFormat answers = new AnswerFormat("return-path", 10);
        List<Sample> asked = List.of(answers.heard(false));
        all.add(LoadFormat.hosts("stream-host", 25, Samples.all(streams, asked)));
        all.add(LoadFormat.hostsFiles("file-host", 15, Samples.all(streams, mapped)));
        all.add(LoadFormat.hostsFiles("mapped-host", 15, mapped));
        all.add(LoadFormat.archives("stream-archive", 10, Samples.all(streams, qemu), folder));
        List<Sample> images = samples.images();
        all.add(new CommandFormat("commands-files", 4, files, folder));
        all.add(new CommandFormat("commands-images", 3, images, folder));
        all.add(new CommandFormat("commands-packed", 2, samples.packed(), folder));
        all.add(answers);
        all.add(new JarFormat("jars", 50, folder));
        all.add(new QmpFormat("qmp", 800, folder));
        all.add(new TlsFormat("tls", 8, folder, streams.getFirst().input().main()));
        all.add(LoadFormat.archivesFiles("file-archive", 10, Samples.all(files, qemu), folder));
    }

    /** Those of these names. */
    List<Format> named(String names) {
        if (names.equals("all")) return all;
        List<String> wanted = List.of(names.split(","));
        return all.stream().filter(format -> wanted.contains(format.name())).toList();
    }

    @Override
    public void close() throws Exception {
        for (Format format : all) format.close();
    }
}
