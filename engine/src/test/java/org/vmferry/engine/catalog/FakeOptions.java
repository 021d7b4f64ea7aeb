package org.vmferry.engine.catalog;

import org.vmferry.engine.discovery.Fakes;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.Feature;
import org.vmferry.spi.option.Capability;
import org.vmferry.spi.option.Parameter;
import org.vmferry.spi.transport.TransportProvider;

import java.util.List;
import java.util.Set;

/** Plug-ins that obey what vmferry's own do. */
final class FakeOptions {
    static final Capability MULTIFD =
            new Capability("multifd", Set.of(), Set.of("xbzrle", "postcopy-ram"));
    static final Parameter<Integer> CHANNELS = Parameter.count("multifd-channels", 2, 1, 255);
    private static final Capability MAPPED_RAM =
            new Capability("mapped-ram", Set.of(), Set.of("return-path"));
    static final TransportProvider FILE = Fakes.files("file");
    static final TransportProvider EXEC = Fakes.transport("exec", Feature.RETURN_PATH);

    static final Plugins ENGINE = Plugins.of(List.of(FILE, EXEC));
    static final Plugins PLUGINS =
            ENGINE.plus(
                    Fakes.carrier("multifd", MULTIFD, CHANNELS),
                    Fakes.layout("mapped-ram", MAPPED_RAM),
                    Fakes.codec("zlib", 1));

    private FakeOptions() {}

    static Settings parameter(String name, String value) {
        return Settings.NONE.parameter(name, value);
    }
}
