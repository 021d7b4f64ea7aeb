package org.vmferry.spi;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What hosts and plug-ins are handed and only vmferry makes. Such a type may grow: an interface
 * gets methods, a record gets components. Whoever calls it is not disturbed; whoever implements it
 * or calls a record's constructor, as a double in a test does, follows. What has no such mark, and
 * is stable, gets new methods with a default only.
 */
@Documented
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
@Status(Status.Level.STABLE)
public @interface Handed {}
