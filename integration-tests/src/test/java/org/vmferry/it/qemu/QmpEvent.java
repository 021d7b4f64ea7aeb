package org.vmferry.it.qemu;

import java.util.Map;

/**
 * Something QEMU told without being asked.
 *
 * @param name QMP's name of it, such as {@code STOP}
 * @param data what it carries; empty if nothing
 */
public record QmpEvent(String name, Map<String, Object> data) {}
