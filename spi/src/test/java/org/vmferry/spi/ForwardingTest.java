package org.vmferry.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.mockingDetails;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.ram.ForwardingBlock;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.spi.session.ForwardingSession;
import org.vmferry.spi.session.Session;
import org.vmferry.spi.transport.Channel;
import org.vmferry.spi.transport.ForwardingChannel;
import org.vmferry.spi.transport.ForwardingFile;
import org.vmferry.spi.transport.PositionedFile;

import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.function.Function;
import java.util.stream.Stream;

/** What forwards forgets no method, those with a default least of all. */
class ForwardingTest {
    private static Stream<Arguments> methods() {
        return Stream.of(
                        of(Session.class, ForwardingSession::new),
                        of(Machine.class, ForwardingMachine::new),
                        of(RamBlock.class, ForwardingBlock::new),
                        of(Channel.class, ForwardingChannel::new),
                        of(PositionedFile.class, ForwardingFile::new))
                .flatMap(each -> each);
    }

    private static <T> Stream<Arguments> of(Class<T> type, Function<T, T> forwarding) {
        return Arrays.stream(type.getMethods())
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                // Reckoned from what an heir may have changed.
                .filter(method -> !method.getName().equals("pages"))
                .map(method -> Arguments.of(type, method, forwarding));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("methods")
    <T> void itIsHandedOn(Class<T> type, Method method, Function<T, T> forwarding)
            throws Exception {
        T real = mock(type);
        Object[] arguments =
                Arrays.stream(method.getParameterTypes()).map(ForwardingTest::something).toArray();
        method.invoke(forwarding.apply(real), arguments);
        assertThat(mockingDetails(real).getInvocations())
                .singleElement()
                .satisfies(
                        call -> {
                            assertThat(call.getMethod().getName()).isEqualTo(method.getName());
                            assertThat(call.getArguments()).startsWith(arguments);
                        });
    }

    private static Object something(Class<?> type) {
        if (type == boolean.class) return true;
        if (type == int.class) return 0;
        if (type == long.class) return 7L;
        return type.isArray() ? Array.newInstance(type.getComponentType(), 0) : null;
    }
}
