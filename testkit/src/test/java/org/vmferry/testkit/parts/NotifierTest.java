package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.Mode;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationNotifier;
import org.vmferry.spi.notifier.MigrationVeto;
import org.vmferry.testkit.conformance.NotifierConformance;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/** A notifier as it should be, and notifiers that break one rule each. */
class NotifierTest {
    @Nested
    class Drain extends NotifierConformance {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(new DrainNotifier(() -> true));
        }
    }

    @TestFactory
    Stream<DynamicTest> eachIsCaught() {
        return Twins.of(NotifierTest.class, NotifierConformance.class, "PRV-");
    }

    abstract static class Suite extends NotifierConformance {
        @Override
        protected abstract MigrationNotifier provider();

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(new DrainNotifier(() -> true));
        }
    }

    @Breaks("NTF-1")
    static class LosesItsModes extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false) {
                private int asked;

                @Override
                public Set<Mode> modes() {
                    return asked++ == 0 ? Set.of(Mode.NORMAL) : Set.of();
                }
            };
        }
    }

    @Breaks("NTF-2")
    static class ForbidsTooLate extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(
                    new DrainNotifier(() -> true) {
                        @Override
                        public void notify(MigrationEvent event) throws MigrationVeto {
                            throw new MigrationVeto("no");
                        }
                    });
        }
    }

    @Breaks("NTF-3")
    static class TakesThree extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false) {
                private int told;

                @Override
                public void notify(MigrationEvent event) throws MigrationVeto {
                    if (++told > 7) throw new IllegalStateException("no more");
                    super.notify(event);
                }
            };
        }
    }

    @Breaks("NTF-4")
    static class TakesItsTime extends Suite {
        @Override
        protected Duration slowest() {
            return Duration.ofMillis(500);
        }

        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false) {
                private int failures;

                @Override
                public void notify(MigrationEvent event) throws MigrationVeto {
                    super.notify(event);
                    if (!(event instanceof MigrationEvent.PrecopyFailed) || failures++ > 0) return;
                    long end = System.nanoTime() + 600_000_000;
                    while (System.nanoTime() < end) LockSupport.parkNanos(1_000_000);
                }
            };
        }
    }

    @Breaks("NTF-5")
    static class GivesNoReason extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(
                    new DrainNotifier(() -> true) {
                        @Override
                        public void notify(MigrationEvent event) throws MigrationVeto {
                            if (event instanceof MigrationEvent.PrecopySetup)
                                throw new MigrationVeto("");
                        }
                    });
        }
    }

    @Breaks("NTF-6")
    static class ForbidsAll extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> true) {
                @Override
                public void notify(MigrationEvent event) throws MigrationVeto {
                    if (event instanceof MigrationEvent.PrecopySetup) super.notify(event);
                }
            };
        }
    }
}
