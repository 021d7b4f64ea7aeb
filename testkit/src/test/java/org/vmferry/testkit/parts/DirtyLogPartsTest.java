package org.vmferry.testkit.parts;

import org.junit.jupiter.api.Nested;
import org.vmferry.testkit.conformance.DirtyLogConformance;

/** The ready-made logs: of a host that marks, and of those that can't. */
class DirtyLogPartsTest {
    @Nested
    class Atomic extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Marking();
        }
    }

    @Nested
    class Comparing extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return new LoggedGuest.Ignorant();
        }
    }

    @Nested
    class Kernel extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return new WatchedGuest();
        }
    }

    @Nested
    class KernelInSharedMemory extends DirtyLogConformance {
        @Override
        protected Guest guest() {
            return WatchedGuest.MappedTwice.create();
        }
    }
}
