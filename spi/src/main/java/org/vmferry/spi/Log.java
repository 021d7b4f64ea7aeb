package org.vmferry.spi;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.spi.CallerBoundaryAware;

import java.util.Objects;

/**
 * Loggers for lines in which names from outside may stand: a peer's, a file's, a neighbour's.
 * Whatever chose them, neither a line nor what is thrown with it drives a terminal or looks like a
 * line of its own: all goes through {@link Printable}. All of vmferry logs by these.
 */
@Status(Status.Level.EXPERIMENTAL)
public final class Log {
    private Log() {}

    /**
     * As {@link LoggerFactory#getLogger(Class)}, for any thread.
     *
     * @param owner whose lines they are
     * @return hands cleaned lines on to the host's logger of that name
     */
    public static Logger of(Class<?> owner) {
        return new Cleaning(LoggerFactory.getLogger(Objects.requireNonNull(owner, "owner")));
    }

    private static final class Cleaning extends LegacyAbstractLogger {
        /** The class that callers call: where a line comes from is looked for behind it. */
        private static final String BOUNDARY = LegacyAbstractLogger.class.getSuperclass().getName();

        private final transient Logger host;

        Cleaning(Logger host) {
            this.host = host;
            name = host.getName();
        }

        @Override
        public boolean isTraceEnabled() {
            return host.isTraceEnabled();
        }

        @Override
        public boolean isDebugEnabled() {
            return host.isDebugEnabled();
        }

        @Override
        public boolean isInfoEnabled() {
            return host.isInfoEnabled();
        }

        @Override
        public boolean isWarnEnabled() {
            return host.isWarnEnabled();
        }

        @Override
        public boolean isErrorEnabled() {
            return host.isErrorEnabled();
        }

        @Override
        protected String getFullyQualifiedCallerName() {
            return BOUNDARY;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level,
                @Nullable Marker marker,
                @Nullable String pattern,
                @Nullable Object @Nullable [] arguments,
                @Nullable Throwable thrown) {
            var line = host.atLevel(level).setMessage(Printable.line(pattern));
            if (line instanceof CallerBoundaryAware event) event.setCallerBoundary(BOUNDARY);
            if (marker != null) line = line.addMarker(marker);
            if (arguments != null)
                for (Object each : arguments) line = line.addArgument(clean(each));
            line.setCause(Printable.thrown(thrown)).log();
        }

        /** The argument itself where there is nothing to clean: a backend may know its type. */
        private static @Nullable Object clean(@Nullable Object argument) {
            String said = MessageFormatter.basicArrayFormat("{}", new Object[] {argument});
            String clean = Printable.line(said);
            return clean.equals(said) ? argument : clean;
        }
    }
}
