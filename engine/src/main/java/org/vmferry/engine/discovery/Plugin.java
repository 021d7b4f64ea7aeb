package org.vmferry.engine.discovery;

import org.vmferry.engine.guard.Guard;
import org.vmferry.spi.Handed;
import org.vmferry.spi.Status;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.option.Provider;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * A provider that was found and has identified itself.
 *
 * @param kind which extension point it serves
 * @param id its name among its kind
 * @param provider the provider
 * @param location its jar or directory; its module where that has none
 * @param options what it obeys, as it said when it was found
 * @param wireMethod of a codec, likewise; 0 for any other kind
 */
@Handed
@Status(Status.Level.STABLE)
public record Plugin(
        PluginKind kind,
        String id,
        Provider provider,
        String location,
        List<Option<?>> options,
        int wireMethod) {
    /**
     * One plug-in.
     *
     * @param options copied
     */
    public Plugin {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(provider, "provider");
        Objects.requireNonNull(location, "location");
        options = List.copyOf(Objects.requireNonNull(options, "options"));
    }

    /**
     * The provider, and all that it gives away, behind the {@link Guard}.
     *
     * @param <T> its type
     * @param type its extension point
     * @return itself if it is the engine's own
     */
    public <T> T guarded(Class<T> type) {
        return Guard.plugin(type, provider, "%s '%s' (%s)".formatted(kind.word(), id, file()));
    }

    private String file() {
        try {
            Path name = Path.of(location).getFileName();
            return name == null ? location : name.toString();
        } catch (IllegalArgumentException e) {
            return location; // it is no path
        }
    }

    @Override
    public String toString() {
        return "%s '%s', %s of %s"
                .formatted(kind.word(), id, provider.getClass().getName(), location);
    }
}
