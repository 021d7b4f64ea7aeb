package org.vmferry.engine.qmp;

import org.jspecify.annotations.Nullable;
import org.vmferry.spi.Status;

import java.io.IOException;
import java.util.Map;

/**
 * A QMP command of a host's own, such as one that ejects a disk. {@link QmpServer} lists it among
 * its commands and in its schema, and checks what clients say against its type.
 *
 * <p>One client's commands come one after another, those of several clients at the same time.
 */
@Status(Status.Level.EXPERIMENTAL)
public interface QmpCommand {
    /**
     * What clients call it.
     *
     * @return letters, digits, {@code -} and {@code _}, a letter first; none of vmferry's own
     */
    String name();

    /**
     * What it takes.
     *
     * @return an object's type
     */
    default QmpType.Struct arguments() {
        return QmpType.NOTHING;
    }

    /**
     * What it answers.
     *
     * @return any type; QEMU's commands that answer nothing have an object without members
     */
    default QmpType answer() {
        return QmpType.NOTHING;
    }

    /**
     * Does it. Other clients, and migrations, go on meanwhile.
     *
     * @param arguments checked against {@link #arguments}; a value is null only where JSON's null
     *     is allowed
     * @return a value of {@link #answer}'s type; null only where that allows JSON's null
     * @throws IOException if it can't be done; the client is told the message as a GenericError
     */
    @Nullable Object execute(Map<String, @Nullable Object> arguments) throws IOException;
}
