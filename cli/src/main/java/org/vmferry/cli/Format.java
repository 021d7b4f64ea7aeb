package org.vmferry.cli;

import org.vmferry.cli.archive.ArchiveMachine;
import org.vmferry.engine.option.Settings;
import org.vmferry.engine.report.Inspection;

import java.util.Collection;

/** How RAM lies in a snapshot; typed as it is called. */
enum Format {
    /** Every page at its own place. */
    MAPPED_RAM("mapped-ram", "a mapped-ram snapshot"),
    /** Pages one after another, as over a socket. */
    STREAM("stream", "a snapshot as a plain stream");

    private final String name;
    private final String described;

    Format(String name, String described) {
        this.name = name;
        this.described = described;
    }

    /** The format of a snapshot of these capabilities. */
    static Format of(Collection<String> capabilities) {
        return capabilities.contains(MAPPED_RAM.name) ? MAPPED_RAM : STREAM;
    }

    static Format of(Inspection inspection) {
        return of(inspection.capabilities());
    }

    /** In which format a machine is kept: only a stream can say that RAM is missing. */
    static Format of(ArchiveMachine archive) {
        return archive.missing().isEmpty() ? MAPPED_RAM : STREAM;
    }

    /** What the engine has to be told. */
    Settings settings() {
        return this == MAPPED_RAM ? Settings.NONE.capability(name) : Settings.NONE;
    }

    /** The same, for a machine that may lack RAM: a stream says so by a capability. */
    Settings settings(ArchiveMachine archive) {
        boolean says = this == STREAM && !archive.missing().isEmpty();
        return says ? settings().capability("x-ignore-shared") : settings();
    }

    String described() {
        return described;
    }

    @Override
    public String toString() {
        return name;
    }
}
