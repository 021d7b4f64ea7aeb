package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What a client gave a command.
 *
 * @param members of the types that the command takes
 */
record Arguments(Map<String, @Nullable Object> members) {
    @SuppressWarnings("unchecked") // names are text in all that Json reads
    static Arguments of(Object object) {
        return new Arguments((Map<String, @Nullable Object>) object);
    }

    /** One that must be there. */
    String string(String name) {
        return Objects.requireNonNull((String) members.get(name), name);
    }

    Optional<String> optionalString(String name) {
        return Optional.ofNullable((String) members.get(name));
    }

    /** Also for one that must be there. */
    boolean bool(String name, boolean absent) {
        return members.get(name) instanceof Boolean said ? said : absent;
    }

    /** An array's elements; none if it is left out. */
    List<?> list(String name) {
        return members.get(name) instanceof List<?> said ? said : List.of();
    }

    List<Arguments> objects(String name) {
        List<Arguments> objects = new ArrayList<>();
        for (Object element : list(name)) objects.add(of(element));
        return objects;
    }
}
