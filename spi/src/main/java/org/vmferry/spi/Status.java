package org.vmferry.spi;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * How far a public type may be relied on. Every public type has one; a test holds us to it. A
 * method or constructor that has one of its own differs from its type.
 */
@Documented
@Retention(RetentionPolicy.CLASS)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.CONSTRUCTOR})
@Status(Status.Level.STABLE)
public @interface Status {
    /**
     * The level.
     *
     * @return the level
     */
    Level value();

    /** Levels of reliance. */
    @Status(Level.STABLE)
    enum Level {
        /** Changes only with a major version; additions come as default methods. */
        STABLE,
        /** May change with a minor version; the change log says how. */
        EXPERIMENTAL,
        /** Public for the language's sake only. */
        INTERNAL
    }
}
