package org.vmferry.testkit.parts;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** What is said of a broken implementation, as its author reads it. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@interface Says {
    /** The beginnings of messages, each with its rule; for a '*' there may be anything. */
    String[] value();
}
