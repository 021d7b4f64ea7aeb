package org.vmferry.testkit.parts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.TestFactory;
import org.vmferry.spi.Mode;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationInfo;
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

    /** One that fails closed, and is told of all there is. */
    @Nested
    class Guard extends NotifierConformance {
        @Override
        protected MigrationNotifier provider() {
            return new Closed(null);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(new Closed(new NoClassDefFoundError("org/example/Database")));
        }
    }

    /** What comes in alone, and lets nothing of it pass. */
    @Nested
    class Door extends NotifierConformance {
        @Override
        protected MigrationNotifier provider() {
            return incoming(null);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(incoming(new IllegalStateException("no list of guests")));
        }

        private static MigrationNotifier incoming(RuntimeException trouble) {
            return new Closed(trouble) {
                @Override
                public boolean hears(MigrationInfo migration) {
                    return migration.direction() == MigrationInfo.Direction.INCOMING;
                }
            };
        }
    }

    private static class Closed extends DrainNotifier {
        private final Throwable trouble;

        Closed(Throwable trouble) {
            super(() -> false);
            this.trouble = trouble;
        }

        @Override
        public boolean hears(MigrationInfo migration) {
            return true;
        }

        @Override
        public boolean failsClosed() {
            return true;
        }

        @Override
        public void notify(MigrationEvent event) throws MigrationVeto {
            if (trouble instanceof Error error) throw error;
            if (trouble instanceof RuntimeException exception) throw exception;
            super.notify(event);
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

    @Breaks("NTF-1")
    static class ClosesAtTimes extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false) {
                private boolean closed;

                @Override
                public boolean failsClosed() {
                    closed = !closed;
                    return closed;
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

    /** It means to forbid, but only a veto does unless it fails closed. */
    @Breaks({"NTF-5", "NTF-7"})
    static class ThrowsSomethingElse extends Suite {
        @Override
        protected MigrationNotifier provider() {
            return new DrainNotifier(() -> false);
        }

        @Override
        protected Optional<MigrationNotifier> forbidding() {
            return Optional.of(
                    new DrainNotifier(() -> false) {
                        @Override
                        public void notify(MigrationEvent event) {
                            throw new IllegalStateException("the list of guests is lost");
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
