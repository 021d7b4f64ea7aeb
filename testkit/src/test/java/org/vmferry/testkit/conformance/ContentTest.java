package org.vmferry.testkit.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vmferry.spi.machine.Machine;
import org.vmferry.testkit.machine.ReferenceMachine;

/** What a suite says of two machines that differ. */
class ContentTest {
    @Test
    void theFirstPageIsNamedAndHowManyDiffer() {
        try (ReferenceMachine one = machine();
                ReferenceMachine other = machine()) {
            Content.requireSame(Content.of(one), Content.of(other), "look here");
            store(one, 300 * 4096L);
            store(one, 17 * 4096L + 4095);
            assertThatThrownBy(() -> require(one, other))
                    .hasMessage(
                            "look here; RAM block ref.ram: 2 of 512 pages differ, the first is page"
                                    + " 17");
            other.runFor(1);
            assertThatThrownBy(() -> require(one, other))
                    .hasMessageContaining("look here")
                    .hasMessageContaining("; device ref-cpu/0 differs");
            assertThat(Content.ram(one).isSame(Content.NONE)).isFalse();
            assertThatThrownBy(
                            () -> Content.requireSame(Content.NONE, Content.ram(one), "look here"))
                    .hasMessageContaining("RAM block ref.rom is in one of both only");
        }
    }

    private static void require(Machine one, Machine other) {
        Content.requireSame(Content.of(one), Content.of(other), "look here");
    }

    private static void store(ReferenceMachine machine, long offset) {
        machine.store(machine.ram().blocks().getLast(), offset, (byte) 1);
    }

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder().ram(2 << 20).dirtyWindow(300).build();
    }
}
