package org.vmferry.engine.system;

import java.lang.module.ModuleDescriptor;
import java.util.Optional;

/** Which vmferry this is. */
public final class Version {
    private Version() {}

    /** The engine's; "unknown" if it is not from a jar. */
    public static String current() {
        String jar = Version.class.getPackage().getImplementationVersion();
        if (jar != null) return jar;
        return Optional.ofNullable(Version.class.getModule().getDescriptor())
                .flatMap(ModuleDescriptor::rawVersion)
                .orElse("unknown");
    }
}
