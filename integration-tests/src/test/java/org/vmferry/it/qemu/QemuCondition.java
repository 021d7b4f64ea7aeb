package org.vmferry.it.qemu;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

import java.util.Optional;

/** Obeys {@link RequiresQemu}. */
final class QemuCondition implements ExecutionCondition {

    private static final String HOW = "; .ci/install-qemu installs it";

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        boolean old =
                AnnotationSupport.findAnnotation(context.getElement(), RequiresQemu.class)
                        .map(RequiresQemu::old)
                        .orElse(false);
        return missing(old)
                .map(reason -> absent(reason, "true".equals(System.getenv("CI"))))
                .orElseGet(() -> ConditionEvaluationResult.enabled("QEMU is there"));
    }

    static Optional<String> missing(boolean old) {
        if (QemuBinary.current().isEmpty()) {
            return Optional.of("no QEMU " + QemuBinary.CURRENT_MAJOR + " or later" + HOW);
        }
        return old && QemuBinary.old().isEmpty()
                ? Optional.of("no QEMU 7.2" + HOW)
                : Optional.empty();
    }

    static ConditionEvaluationResult absent(String reason, boolean ci) {
        if (ci)
            throw new ExtensionConfigurationException("With CI=true it must be there: " + reason);
        return ConditionEvaluationResult.disabled(reason);
    }
}
