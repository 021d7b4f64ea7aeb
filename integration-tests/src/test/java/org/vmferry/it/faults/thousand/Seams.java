package org.vmferry.it.faults.thousand;

import org.vmferry.engine.MigrationListener;
import org.vmferry.engine.discovery.PluginKind;
import org.vmferry.spi.carrier.PageCarrier;
import org.vmferry.spi.layout.FileIn;
import org.vmferry.spi.layout.FileLayout;
import org.vmferry.spi.layout.FileOut;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.notifier.MigrationEvent;
import org.vmferry.spi.notifier.MigrationInfo;
import org.vmferry.spi.option.Option;
import org.vmferry.spi.ram.ZeroPages;
import org.vmferry.spi.session.Session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * All interfaces that a host or a plug-in implements, as the SPI's classes say: no list to keep.
 */
final class Seams {
    private static final String SPI = "org/vmferry/spi";

    /** What the engine implements, or a record. */
    private static final Set<Class<?>> OURS =
            Set.of(
                    Session.class,
                    Session.Counters.class,
                    FileIn.class,
                    FileOut.class,
                    PageCarrier.Channels.class,
                    FileLayout.Loader.Fetch.class,
                    ZeroPages.Extents.class,
                    Option.class,
                    MigrationEvent.class,
                    MigrationInfo.class);

    private static final List<Class<?>> ALL = find();

    private Seams() {}

    /** Without those that others extend. */
    static List<Class<?>> all() {
        return ALL;
    }

    /** Those that an object implements. */
    static List<Class<?>> of(Object object) {
        return ALL.stream().filter(seam -> seam.isInstance(object)).toList();
    }

    /** All their methods, such as {@code Machine.enter}. */
    static Set<String> methods() {
        Set<String> methods = new TreeSet<>();
        for (Class<?> seam : ALL) {
            for (Method method : seam.getMethods()) {
                if (!Modifier.isStatic(method.getModifiers())) methods.add(name(seam, method));
            }
        }
        return methods;
    }

    /** A method's name, with that of the interface. */
    static String name(Class<?> seam, Method method) {
        return seam.getSimpleName() + "." + method.getName();
    }

    /** Whether it is a host that implements a call's interface; else it is a plug-in. */
    static boolean isHosts(String call) {
        return who(call).startsWith("(the|RAM|device");
    }

    /** How a message names who implements a call's interface, as a regular expression. */
    static String who(String call) {
        Class<?> seam =
                ALL.stream()
                        .filter(each -> call.startsWith(each.getSimpleName() + "."))
                        .findFirst()
                        .orElseThrow();
        for (PluginKind kind : PluginKind.values()) {
            Class<?> outer = seam.getEnclosingClass();
            boolean its = kind.type() == seam || kind.type() == outer;
            its |= kind == PluginKind.TRANSPORT && seam.getPackage() == kind.type().getPackage();
            if (its) return kind.word() + " '[a-z-]+' \\(.*\\)";
        }
        return "(the|RAM|device|a listener).*";
    }

    private static List<Class<?>> find() {
        try {
            URI where = Machine.class.getProtectionDomain().getCodeSource().getLocation().toURI();
            List<Class<?>> found;
            if (Files.isDirectory(Path.of(where))) {
                found = find(Path.of(where));
            } else {
                try (FileSystem jar = FileSystems.newFileSystem(Path.of(where))) {
                    found = find(jar.getPath("/"));
                }
            }
            return Stream.concat(
                            found.stream()
                                    .filter(seam -> found.stream().noneMatch(o -> extend(o, seam))),
                            Stream.of(MigrationListener.class))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean extend(Class<?> other, Class<?> seam) {
        return other != seam && seam.isAssignableFrom(other);
    }

    private static List<Class<?>> find(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root.resolve(SPI))) {
            return files.map(file -> root.relativize(file).toString())
                    .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
                    .map(Seams::load)
                    .filter(type -> type.isInterface() && Modifier.isPublic(type.getModifiers()))
                    .filter(type -> !type.isAnnotation())
                    .filter(type -> OURS.stream().noneMatch(ours -> ours.isAssignableFrom(type)))
                    .sorted(Comparator.comparing(Class::getName))
                    .<Class<?>>map(type -> type)
                    .toList();
        }
    }

    private static Class<?> load(String file) {
        String name = file.substring(0, file.length() - ".class".length()).replace('/', '.');
        try {
            return Class.forName(name, false, Machine.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(e);
        }
    }
}
