package org.vmferry.engine.qmp;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a client gave a command.
 *
 * @param members of the types that the command takes
 */
record Arguments(Map<String, Object> members) {
    @SuppressWarnings("unchecked") // names are text in all that Json reads
    static Arguments of(Object object) {
        return new Arguments((Map<String, Object>) object);
    }

    String string(String name) {
        return (String) members.get(name);
    }

    Optional<String> optionalString(String name) {
        return Optional.ofNullable(string(name));
    }

    /** Also for one that must be there. */
    boolean bool(String name, boolean absent) {
        return (Boolean) members.getOrDefault(name, absent);
    }

    /** An array's elements; none if it is left out. */
    List<?> list(String name) {
        return (List<?>) members.getOrDefault(name, List.of());
    }

    List<Arguments> objects(String name) {
        List<Arguments> objects = new ArrayList<>();
        for (Object element : list(name)) objects.add(of(element));
        return objects;
    }
}
