package org.vmferry.engine.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteTest {
    @ParameterizedTest
    @CsvSource({"1,1", "2,2", "3,3", "4,4", "5,4", "256,4"})
    @Tag("MFD-21")
    void aWorkerForEachCoreWithinReason(int cores, int workers) {
        assertThat(Route.forCores(cores)).isEqualTo(workers);
    }
}
