import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.attribute.InnerClassInfo;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.AccessFlag;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What is in a modular jar, and whether the jars of its sources and of its Javadoc are really that.
 */
final class Contents {
    private static final String LICENCE = "META-INF/LICENSE";
    private static final int SHORTEST_LICENCE = 5_000; // of whole ones; a link is no text

    private final Map<String, ClassModel> classes = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private String module;
    private Set<String> exported = Set.of();

    Contents(Path path) throws IOException {
        try (ZipFile jar = new ZipFile(path.toFile())) {
            for (ZipEntry entry : jar.stream().toList()) {
                if (!entry.getName().endsWith(".class")) continue;
                ClassModel model = ClassFile.of().parse(read(jar, entry));
                classes.put(entry.getName().replaceFirst("\\.class$", ""), model);
            }
            if (jar.getEntry(LICENCE) == null) problems.add("has no " + LICENCE);
            else if (read(jar, jar.getEntry(LICENCE)).length < SHORTEST_LICENCE)
                problems.add("has a " + LICENCE + " that is none");
            ZipEntry descriptor = jar.getEntry("module-info.class");
            if (descriptor == null) problems.add("has no module-info");
            else describe(ModuleDescriptor.read(jar.getInputStream(descriptor)));
        }
    }

    private void describe(ModuleDescriptor descriptor) {
        module = descriptor.name();
        exported =
                descriptor.exports().stream()
                        .filter(exports -> !exports.isQualified())
                        .map(exports -> exports.source().replace('.', '/'))
                        .collect(Collectors.toSet());
    }

    List<String> problems(Path sources, Path javadoc) throws IOException {
        try (ZipFile jar = new ZipFile(sources.toFile())) {
            for (Map.Entry<String, ClassModel> each : classes.entrySet()) hasSource(jar, each);
        }
        try (ZipFile jar = new ZipFile(javadoc.toFile())) {
            hasPage(jar, "index.html", "html");
            if (module != null) hasPage(jar, module + "/module-summary.html", module);
            for (Map.Entry<String, ClassModel> each : classes.entrySet()) {
                if (!exported.contains(packageOf(each.getKey()))) continue;
                if (each.getKey().endsWith("/package-info"))
                    hasPage(
                            jar,
                            module + "/" + packageOf(each.getKey()) + "/package-summary.html",
                            "html");
                else if (isPublic(each.getValue())) hasPage(jar, each.getKey());
            }
        }
        return problems;
    }

    private void hasSource(ZipFile sources, Map.Entry<String, ClassModel> of) throws IOException {
        Optional<String> file =
                of.getValue()
                        .findAttribute(Attributes.sourceFile())
                        .map(attribute -> attribute.sourceFile().stringValue());
        if (file.isEmpty()) {
            problems.add("doesn't say of which source " + of.getKey() + " is");
            return;
        }
        String inPackage = packageOf(of.getKey());
        String name = inPackage.isEmpty() ? file.get() : inPackage + "/" + file.get();
        ZipEntry entry = sources.getEntry(name);
        String says =
                inPackage.isEmpty() ? "module " : "package " + inPackage.replace('/', '.') + ";";
        if (entry == null) problems.add("has no source of " + of.getKey());
        else if (!new String(read(sources, entry), StandardCharsets.UTF_8).contains(says))
            problems.add("has a source of " + of.getKey() + " that is none");
    }

    private void hasPage(ZipFile javadoc, String type) throws IOException {
        String name = type.substring(type.lastIndexOf('/') + 1).replace('$', '.');
        hasPage(javadoc, module + "/" + packageOf(type) + "/" + name + ".html", "title\">");
    }

    private void hasPage(ZipFile javadoc, String name, String says) throws IOException {
        ZipEntry entry = javadoc.getEntry(name);
        if (entry == null) problems.add("has no Javadoc page " + name);
        else if (!new String(read(javadoc, entry), StandardCharsets.UTF_8).contains(says))
            problems.add("has a Javadoc page that is none: " + name);
    }

    /** Down from the outermost type: what is public in one that isn't is nobody's. */
    private boolean isPublic(ClassModel type) {
        if (!type.flags().has(AccessFlag.PUBLIC)) return false;
        Optional<InnerClassInfo> own =
                type.findAttribute(Attributes.innerClasses()).stream()
                        .flatMap(attribute -> attribute.classes().stream())
                        .filter(info -> info.innerClass().equals(type.thisClass()))
                        .findFirst();
        if (own.isEmpty()) return true;
        if (own.get().outerClass().isEmpty() || !own.get().has(AccessFlag.PUBLIC)) return false;
        ClassModel outer = classes.get(own.get().outerClass().get().asInternalName());
        return outer != null && isPublic(outer);
    }

    private static String packageOf(String type) {
        int slash = type.lastIndexOf('/');
        return slash < 0 ? "" : type.substring(0, slash);
    }

    private static byte[] read(ZipFile jar, ZipEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in.readAllBytes();
        }
    }
}
