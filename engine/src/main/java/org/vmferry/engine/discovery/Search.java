package org.vmferry.engine.discovery;

import org.vmferry.engine.transport.ExecTransport;
import org.vmferry.engine.transport.LocalFileTransport;
import org.vmferry.engine.transport.TcpTransport;
import org.vmferry.engine.transport.UnixTransport;
import org.vmferry.spi.Printable;
import org.vmferry.spi.option.Provider;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks for plug-ins where a process may have them, and keeps in words where it looked. The
 * engine's own need no list of services, and the engine's class loader no thread that has it: lists
 * get lost when jars are made into one, and a thread's loader is whatever its pool gave it.
 */
final class Search {
    final Scan scan = new Scan();
    final List<String> places = new ArrayList<>();

    /** The engine's own. */
    Search builtIn() {
        List<Provider> own =
                List.of(
                        new ExecTransport(),
                        new LocalFileTransport(),
                        new TcpTransport(),
                        new UnixTransport());
        for (Provider provider : own) scan.known(provider, Places.of(provider.getClass()));
        return this;
    }

    /** What the engine's class loader sees, and the engine's module layer. */
    Search engines() {
        look("the engine's class loader ", engineLoader());
        ModuleLayer layer = Search.class.getModule().getLayer();
        if (layer != null && layer != ModuleLayer.boot()) {
            looked("the engine's module layer");
            scan.layer(layer);
        }
        return this;
    }

    /** What a class loader sees. */
    Search loader(ClassLoader loader) {
        look("the class loader ", loader);
        return this;
    }

    private void look(String what, ClassLoader loader) {
        looked(what + name(loader));
        scan.loader(loader);
        scan.named(KnownPlugins.providers(), loader, name(loader));
    }

    /** What a thread's context class loader sees beyond that, if it is one of this engine's. */
    Search contextOf(Thread thread) {
        String whose = "the context class loader of the thread '" + thread.getName() + "'";
        ClassLoader loader = thread.getContextClassLoader();
        if (loader == null) {
            looked(whose + ": it has none");
            return this;
        }
        whose += ", " + name(loader);
        if (isEngines(loader)) {
            looked(whose + ": it sees no more");
            return this;
        }
        Optional<String> stranger = stranger(loader);
        if (stranger.isPresent()) {
            looked(whose + ": not used, " + stranger.get());
            return this;
        }
        int before = scan.found.size();
        try {
            scan.loader(loader);
            looked(whose);
        } catch (Throwable t) {
            Scan.rethrowFatal(t);
            looked(whose + ": it threw " + t);
        }
        scan.leaveOutCopies(before, engineLoader());
        return this;
    }

    private void looked(String place) {
        places.add(Printable.line(place));
    }

    private static ClassLoader engineLoader() {
        ClassLoader loader = Search.class.getClassLoader();
        return loader == null ? ClassLoader.getSystemClassLoader() : loader; // -Xbootclasspath/a
    }

    private static boolean isEngines(ClassLoader loader) {
        for (ClassLoader at = engineLoader(); at != null; at = at.getParent()) {
            if (at == loader) return true;
        }
        return false;
    }

    /** Why nothing that a class loader has can be a plug-in of this engine's. */
    private static Optional<String> stranger(ClassLoader loader) {
        try {
            Class<?> theirs = Class.forName(Provider.class.getName(), false, loader);
            return theirs == Provider.class
                    ? Optional.empty()
                    : Optional.of("it has a vmferry of its own, of " + Places.of(theirs));
        } catch (ClassNotFoundException e) {
            return Optional.of("it does not see vmferry");
        } catch (Throwable t) {
            Scan.rethrowFatal(t);
            return Optional.of("it threw " + t);
        }
    }

    static String name(ClassLoader loader) {
        String name = loader.getName();
        return name == null ? "of " + loader.getClass().getName() : "'" + name + "'";
    }
}
