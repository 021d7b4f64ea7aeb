package org.vmferry.testkit.parts;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Marks a broken implementation: the rules that it breaks, and no other. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface Breaks {
    String[] value();
}
