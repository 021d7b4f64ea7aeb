package org.vmferry.multifd;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vmferry.spi.doubles.TestSession;
import org.vmferry.spi.option.Options;
import org.vmferry.spi.transport.Channel;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** How the channels of one end are let go and closed. */
class WorkerThreadsTest {
    private final WorkerThreads workers =
            new WorkerThreads(new TestSession("workers", Options.DEFAULTS), "test");
    private final List<String> called = new CopyOnWriteArrayList<>();

    /** What a channel does when it is closed or released. */
    private interface Deed {
        void when(String method) throws Exception;
    }

    private void own(String name, Deed deed) throws Exception {
        workers.own(
                (Channel)
                        Proxy.newProxyInstance(
                                getClass().getClassLoader(),
                                new Class<?>[] {Channel.class},
                                (proxy, method, arguments) -> {
                                    switch (method.getName()) {
                                        case "close", "release", "shutdownOutput" -> {
                                            called.add(method.getName() + " " + name);
                                            deed.when(method.getName());
                                            return null;
                                        }
                                        case "equals" -> {
                                            return proxy == arguments[0];
                                        }
                                        default -> {
                                            return method.getReturnType() == String.class
                                                    ? name
                                                    : null;
                                        }
                                    }
                                }));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Tag("MFD-22")
    void aPeerThatIsSilentIsWaitedForOnce(boolean ends) throws Exception {
        CountDownLatch closing = new CountDownLatch(3);
        CountDownLatch together = new CountDownLatch(3);
        for (String name : List.of("a", "b", "c")) {
            own(
                    name,
                    _ -> {
                        closing.countDown();
                        if (closing.await(2, TimeUnit.SECONDS)) together.countDown();
                    });
        }
        if (ends) workers.shutdownOutputs();
        else workers.close();
        assertThat(together.getCount()).as("one after another").isZero();
        workers.close();
    }

    private void ownThreeOfWhichTwoThrow() throws Exception {
        own(
                "a",
                method -> {
                    throw new IllegalStateException(method);
                });
        own(
                "b",
                method -> {
                    throw new AssertionError(method);
                });
        own("c", method -> {});
    }

    @Test
    @Tag("MFD-22")
    void oneThatThrowsLeavesNoOtherOpen() throws Exception {
        ownThreeOfWhichTwoThrow();
        workers.close();
        assertThat(called).containsExactlyInAnyOrder("close a", "close b", "close c");
    }

    @Test
    @Tag("MFD-22")
    void oneThatThrowsLeavesNoOtherHanging() throws Exception {
        ownThreeOfWhichTwoThrow();
        workers.fail(new IllegalStateException("something"));
        assertThat(called).containsExactly("release a", "release b", "release c");
        workers.close();
    }
}
