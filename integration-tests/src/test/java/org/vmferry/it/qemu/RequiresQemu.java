package org.vmferry.it.qemu;

import org.junit.jupiter.api.extension.ExtendWith;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Runs a JUnit test only where there is a QEMU 10 or later. Elsewhere the test is skipped, and says
 * how to get one; with {@code CI=true} in the environment it fails, for a skipped referee proves
 * nothing.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@ExtendWith(QemuCondition.class)
public @interface RequiresQemu {

    /** Whether QEMU 7.2 has to be there, too. */
    boolean old() default false;
}
