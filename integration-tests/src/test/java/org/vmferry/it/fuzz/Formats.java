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
        all.add(new InspectFormat("inspect-stream", 2000, Samples.all(streams, mapped)));
        all.add(new InspectFormat("inspect-mapped", 2000, mapped));
        all.add(new InspectFormat("inspect-files", 300, Samples.all(files, qemu)));
        all.add(LoadFormat.hosts("multifd-host", 200, packets));
        all.add(LoadFormat.hosts("stream-host", 300, streams));
        all.add(LoadFormat.hostsFiles("file-host", 150, Samples.all(streams, mapped)));
        all.add(LoadFormat.hostsFiles("mapped-host", 150, mapped));
        all.add(LoadFormat.archives("stream-archive", 60, Samples.all(streams, qemu), folder));
        all.add(LoadFormat.archivesFiles("file-archive", 60, Samples.all(files, qemu), folder));
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
