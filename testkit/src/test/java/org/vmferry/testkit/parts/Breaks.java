package org.vmferry.testkit.parts;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks a broken implementation. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface Breaks {
    /** The rules that it breaks: the tests of these fail, and no other's. */
    String[] value();

    /** Rules that it may break, too, as the clock has it. */
    String[] maybe() default {};
}
