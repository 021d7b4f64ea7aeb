package org.vmferry.engine.catalog;

import org.vmferry.spi.Status;

import java.util.List;

/**
 * An option as a person, or a QMP client, sees it.
 *
 * @param name QEMU's
 * @param owner who obeys it: "engine", or a plug-in's id
 * @param capability whether it is one; else a parameter
 * @param defaultValue a Boolean, Integer, Long or String
 * @param range what may be set
 * @param words what may be set, if that is one of several words; else empty
 * @param value what is set now; of the default's class
 */
@Status(Status.Level.EXPERIMENTAL)
public record OptionInfo(
        String name,
        String owner,
        boolean capability,
        Object defaultValue,
        String range,
        List<String> words,
        Object value) {}
