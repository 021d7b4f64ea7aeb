package org.vmferry.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vmferry.testkit.machine.MachineDigest;

import java.util.List;
import java.util.Map;

/** The demo's proof fails where it should. */
class ProofTest {
    @ParameterizedTest
    @CsvSource({
        "1 2 3, true, 3, 0, 0",
        "1 2 4, false, 4, 1, 0",
        "1 2 2 3, false, 3, 0, 1",
        "3 4, false, 4, 2, 0",
        "1 2 1 2 3, false, 3, 0, 2",
        "1 BAD, false, 1, 0, 0",
    })
    void aCounterHasNeitherGapNorRepeat(
            String lines, boolean holds, long counted, long gaps, long repeats) {
        Proof proof = Proof.of(side(lines, 7), side("1 2 3", 7));
        assertThat(proof.holds()).isEqualTo(holds);
        assertThat(proof)
                .isEqualTo(
                        new Proof(
                                counted,
                                gaps,
                                repeats,
                                100,
                                holds ? List.of() : List.of("output")));
    }

    @ParameterizedTest
    @CsvSource({"7, true", "8, false"})
    void theStateIsTheTwins(int checksum, boolean holds) {
        Proof proof = Proof.of(side("1 2 3", checksum), side("1 2 3", 7));
        assertThat(proof.holds()).isEqualTo(holds);
        assertThat(proof.differences()).isEqualTo(holds ? List.of() : List.of("ref.ram"));
    }

    private static Proof.Side side(String lines, int checksum) {
        return new Proof.Side(
                lines.replace(' ', '\n') + "\n",
                new MachineDigest(100, Map.of("ref.cpu", 1, "ref.ram", checksum)));
    }
}
