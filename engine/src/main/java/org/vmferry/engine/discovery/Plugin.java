package org.vmferry.engine.discovery;

import org.vmferry.spi.Provider;
import org.vmferry.spi.option.Option;

import java.util.List;

/**
 * A provider that was found and has identified itself.
 *
 * @param kind which extension point it serves
 * @param id its name among its kind
 * @param provider the provider
 * @param location its jar or directory; its module where that has none
 * @param options what it obeys, as it said when it was found
 */
public record Plugin(
        PluginKind kind, String id, Provider provider, String location, List<Option<?>> options) {
    /**
     * One plug-in.
     *
     * @param options copied
     */
    public Plugin {
        options = List.copyOf(options);
    }

    @Override
    public String toString() {
        return "%s '%s', %s of %s"
                .formatted(kind.word(), id, provider.getClass().getName(), location);
    }
}
