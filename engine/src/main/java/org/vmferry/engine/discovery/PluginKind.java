package org.vmferry.engine.discovery;

import org.vmferry.spi.Status;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.option.Provider;
import org.vmferry.spi.transport.TransportProvider;

import java.util.Arrays;
import java.util.List;

/** The kinds of plug-in, one for each extension point that {@code ServiceLoader} serves. */
@Status(Status.Level.STABLE)
public enum PluginKind {
    /** Channels and files, by scheme. */
    TRANSPORT("transport", TransportProvider.class),
    /** How RAM lies in a file, by capability. */
    LAYOUT("file layout", FileLayout.class),
    /** Who moves the pages, by capability. */
    CARRIER("page carrier", PageCarrier.class),
    /** Codecs, by the value of {@code multifd-compression}. */
    CODEC("codec", CompressionProvider.class),
    /** Listeners. */
    NOTIFIER("notifier", MigrationNotifier.class);

    private final String word;
    private final Class<? extends Provider> type;

    PluginKind(String word, Class<? extends Provider> type) {
        this.word = word;
        this.type = type;
    }

    /**
     * What a person calls it.
     *
     * @return a noun
     */
    public String word() {
        return word;
    }

    /** The names of all extension points, as files in META-INF/services have them. */
    static List<String> names() {
        return Arrays.stream(values()).map(kind -> kind.type().getName()).toList();
    }

    /**
     * The extension point.
     *
     * @return an interface of the SPI
     */
    public Class<? extends Provider> type() {
        return type;
    }
}
