package org.vmferry.engine.discovery;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Where classes and their declarations as providers stand, as a person would name the place. */
final class Places {
    private static final int MOST_BYTES = 1 << 20; // of a list of services

    private Places() {}

    /**
     * Something that names providers: a file of META-INF/services, or a module.
     *
     * @param origin the file's URL; empty for a module
     * @param location jar, directory or module
     * @param providers class names, in order
     */
    record Declaration(String origin, String location, List<String> providers) {}

    /** Jar, directory or module of a class. */
    static String of(Class<?> type) {
        Module module = type.getModule();
        if (module.isNamed()) return of(module);
        CodeSource source = type.getProtectionDomain().getCodeSource();
        return source == null || source.getLocation() == null
                ? type.getName()
                : plain(source.getLocation().toString());
    }

    private static String of(Module module) {
        if (module.getLayer() == null) return module.getName();
        return module.getLayer()
                .configuration()
                .findModule(module.getName())
                .flatMap(resolved -> resolved.reference().location())
                .map(uri -> plain(uri.toString()))
                .orElse(module.getName());
    }

    /** What META-INF/services files say, as far as they can be read. */
    static List<Declaration> files(Class<?> service, ClassLoader loader) {
        List<Declaration> declarations = new ArrayList<>();
        String name = "META-INF/services/" + service.getName();
        try {
            for (URL url : Collections.list(loader.getResources(name))) {
                String text = url.toString();
                String root = text.substring(0, text.length() - name.length());
                declarations.add(new Declaration(text, plain(root), providers(url)));
            }
        } catch (IOException e) {
            // ServiceLoader meets the same and is heard; this only finds places for messages.
        }
        return declarations;
    }

    /** What the modules of a layer and its parents say. */
    static List<Declaration> modules(Class<?> service, ModuleLayer layer) {
        List<Declaration> declarations = new ArrayList<>();
        for (Module module : layer.modules()) {
            module.getDescriptor().provides().stream()
                    .filter(provides -> provides.service().equals(service.getName()))
                    .map(provides -> new Declaration("", of(module), provides.providers()))
                    .forEach(declarations::add);
        }
        layer.parents().forEach(parent -> declarations.addAll(modules(service, parent)));
        return declarations;
    }

    private static List<String> providers(URL url) {
        try {
            URLConnection connection = url.openConnection();
            connection.setUseCaches(false); // or the jar stays open
            try (InputStream in = connection.getInputStream()) {
                return new String(in.readNBytes(MOST_BYTES), StandardCharsets.UTF_8)
                        .lines()
                        .map(line -> line.replaceFirst("#.*+", "").strip())
                        .filter(line -> !line.isEmpty())
                        .distinct()
                        .toList();
            }
        } catch (IOException e) {
            return List.of();
        }
    }

    private static String plain(String url) {
        String text = url.startsWith("jar:") ? url.substring(4).replaceFirst("!/.*+$", "") : url;
        if (!text.startsWith("file:")) return text;
        try {
            return Path.of(URI.create(text)).toString();
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}
