package org.vmferry.it.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;

class QemuConditionTest {
    @Test
    void withoutAQemuATestIsSkippedAndSaysHowToGetOne() {
        var result = QemuCondition.absent("no QEMU; .ci/install-qemu installs it", false);
        assertThat(result.isDisabled()).isTrue();
        assertThat(result.getReason().orElseThrow()).contains(".ci/install-qemu");
    }

    @Test
    void inContinuousIntegrationAMissingQemuIsAFailure() {
        assertThatExceptionOfType(ExtensionConfigurationException.class)
                .isThrownBy(() -> QemuCondition.absent("no QEMU", true))
                .withMessageContaining("CI=true");
    }
}
