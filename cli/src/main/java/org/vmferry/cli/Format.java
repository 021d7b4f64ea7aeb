package org.vmferry.cli;

import org.vmferry.engine.Inspection;
import org.vmferry.engine.option.Settings;

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

    /** What the engine has to be told. */
    Settings settings() {
        return this == MAPPED_RAM ? Settings.NONE.capability(name) : Settings.NONE;
    }

    String described() {
        return described;
    }

    @Override
    public String toString() {
        return name;
    }
}
