package org.vmferry.engine.option;

/**
 * An option as a person, or a QMP client, sees it.
 *
 * @param name QEMU's
 * @param owner who obeys it: "engine", or a plug-in's id
 * @param capability whether it is one; else a parameter
 * @param defaultValue as typed; on or off for a switch
 * @param range what may be set
 * @param value what is set now, as typed
 */
public record OptionInfo(
        String name,
        String owner,
        boolean capability,
        String defaultValue,
        String range,
        String value) {}
