package org.vmferry.testkit.parts;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.spi.Feature;
import org.vmferry.spi.transport.ChannelTransport;

import java.util.Map;
import java.util.Set;

/** What a suite does not try, it says; and it is red if that is all. */
class LeftOutTest {
    static class OneChannel extends Tcp {
        @Override
        protected ChannelTransport provider() {
            return new Twin(new TcpTransport()) {
                @Override
                public Set<Feature> features() {
                    return Set.of(Feature.RETURN_PATH);
                }
            };
        }
    }

    @Test
    void theSummaryCountsThemWithTheirReasons() {
        assertThat(Twins.run(OneChannel.class).summaries())
                .containsExactly("ran 22 rules, left out 3: features(): has no MANY_CHANNELS (3)");
    }

    static class WithoutItsLibrary extends CompressionTwinsTest.Zlib {
        @BeforeEach
        void load() {
            Assumptions.abort("load(): the library is not there");
        }

        @Test
        void one() {}
    }

    @Test
    void aSuiteThatTriedNothingIsRed() {
        Map<String, Throwable> failures = Twins.run(WithoutItsLibrary.class).failures();
        assertThat(failures).containsOnlyKeys("LeftOutTest$WithoutItsLibrary");
        assertThat(failures.values())
                .allSatisfy(
                        failure ->
                                assertThat(failure)
                                        .hasMessage(
                                                "This suite has tried nothing: it ran 0 rules, left"
                                                    + " out 15: load(): the library is not there"
                                                    + " (15)"));
    }

    /** An author's own beside those of the suite is no rule. */
    static class OwnAborts extends CompressionTwinsTest.Zlib {
        @Test
        void one() {
            Assumptions.abort("one(): not today");
        }
    }

    @Test
    void anAuthorsOwnTestsAreNotCounted() {
        Twins.Ran ran = Twins.run(OwnAborts.class);
        assertThat(ran.failures()).isEmpty();
        assertThat(ran.summaries()).containsExactly("ran 15 rules, left out 0");
    }
}
