package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.HashSet;
import java.util.Set;

/**
 * The protocol of who owns the guest, played with two real life cycles in every order, with up to
 * three faults at any moment of it (docs/ownership.md).
 */
class ProtocolTest {
    private static final int TOO_FEW = 1000;

    private int played;

    private String firstFault(boolean returnPath, int faults, Sides.Broken broken) {
        Choices choices = new Choices();
        Set<String> seen = new HashSet<>();
        do {
            played++;
            String wrong = new Protocol(choices, returnPath, faults, broken, seen).play();
            if (wrong != null) return wrong;
        } while (choices.next());
        return null;
    }

    @ParameterizedTest
    @CsvSource({
        "true, 0",
        "false, 0",
        "true, 1",
        "false, 1",
        "true, 2",
        "false, 2",
        "true, 3",
        "false, 3"
    })
    @Tag("OWN-1")
    @Tag("OWN-2")
    @Tag("OWN-3")
    @Tag("OWN-4")
    @Tag("OWN-5")
    @Tag("OWN-6")
    @Tag("OWN-7")
    @Tag("OWN-8")
    @Tag("OWN-9")
    @Tag("OWN-38")
    @Tag("OWN-39")
    @Tag("OWN-40")
    void whateverHappensOneRunsIt(boolean returnPath, int faults) {
        assertThat(firstFault(returnPath, faults, Sides.Broken.NOTHING)).isNull();
        if (faults > 1) assertThat(played).isGreaterThan(TOO_FEW);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NOTHING")
    void aRuleThatIsBrokenIsFound(Sides.Broken broken) {
        assertThat(firstFault(true, 2, broken)).isNotNull();
    }
}
