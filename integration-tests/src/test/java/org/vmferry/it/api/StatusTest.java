package org.vmferry.it.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaType;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.Status;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What others may compile against says how far it may be relied on, and keeps to it. */
class StatusTest {
    @Test
    void eachTypeHasOne() throws Exception {
        assertThat(PublicTypes.all())
                .filteredOn(type -> PublicTypes.level(type) == null)
                .extracting(JavaClass::getName)
                .isEmpty();
    }

    /** A promise about a method is none if it takes or gives what may change. */
    @Test
    void whatIsStableSpeaksOfWhatIsStable() throws Exception {
        Set<String> hollow = new TreeSet<>();
        for (JavaClass type : PublicTypes.all()) {
            if (PublicTypes.level(type) != Status.Level.STABLE) continue;
            for (JavaClass mentioned : mentioned(type)) {
                if (mentioned.getPackageName().startsWith("org.vmferry")
                        && PublicTypes.level(mentioned) != Status.Level.STABLE)
                    hollow.add(type.getName() + " speaks of " + mentioned.getName());
            }
        }
        assertThat(hollow).isEmpty();
    }

    private static Set<JavaClass> mentioned(JavaClass type) {
        List<JavaType> types = new ArrayList<>();
        type.getSuperclass().ifPresent(types::add);
        types.addAll(type.getInterfaces());
        for (JavaMember member : type.getMembers()) {
            if (!PublicTypes.isOffered(member.getModifiers()) || differs(member)) continue;
            if (member instanceof JavaCodeUnit code) {
                types.addAll(code.getParameterTypes());
                types.add(code.getReturnType());
            } else if (member instanceof JavaField field) {
                types.add(field.getType());
            }
        }
        return types.stream()
                .flatMap(each -> each.getAllInvolvedRawTypes().stream())
                .map(StatusTest::element)
                .collect(Collectors.toSet());
    }

    private static boolean differs(JavaMember member) {
        return member.tryGetAnnotationOfType(Status.class)
                .map(own -> own.value() != Status.Level.STABLE)
                .orElse(false);
    }

    private static JavaClass element(JavaClass type) {
        return type.isArray() ? element(type.getComponentType()) : type;
    }
}
