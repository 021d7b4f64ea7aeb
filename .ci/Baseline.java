import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.AccessFlags;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Writes what others compile against, of some modular jars, into one: the types of exported
 * packages without code and without what is private. It is what later versions are compared with.
 *
 * <p>Run once for a release, after a build: {@code java .ci/Baseline.java OUT JAR...}
 */
final class Baseline {
    private static final ClassFile CLASSES =
            ClassFile.of(
                    ClassFile.ConstantPoolSharingOption.NEW_POOL,
                    ClassFile.DebugElementsOption.DROP_DEBUG,
                    ClassFile.LineNumbersOption.DROP_LINE_NUMBERS);

    public static void main(String[] arguments) throws IOException {
        Map<String, byte[]> all = new TreeMap<>();
        for (int i = 1; i < arguments.length; i++) read(Path.of(arguments[i]), all);
        try (OutputStream file = Files.newOutputStream(Path.of(arguments[0]));
                ZipOutputStream out = new ZipOutputStream(file)) {
            out.setLevel(9);
            for (Map.Entry<String, byte[]> each : all.entrySet()) {
                ZipEntry entry = new ZipEntry(each.getKey());
                entry.setTime(0);
                out.putNextEntry(entry);
                out.write(each.getValue());
            }
        }
    }

    private static void read(Path path, Map<String, byte[]> into) throws IOException {
        try (ZipFile jar = new ZipFile(path.toFile())) {
            Set<String> packages;
            try (InputStream in = jar.getInputStream(jar.getEntry("module-info.class"))) {
                packages =
                        ModuleDescriptor.read(in).exports().stream()
                                .filter(exports -> !exports.isQualified())
                                .map(exports -> exports.source().replace('.', '/'))
                                .collect(Collectors.toSet());
            }
            for (ZipEntry entry : jar.stream().toList()) {
                String name = entry.getName();
                int slash = name.lastIndexOf('/');
                if (slash < 0 || !name.endsWith(".class")) continue;
                if (!packages.contains(name.substring(0, slash))) continue;
                ClassModel model = CLASSES.parse(jar.getInputStream(entry).readAllBytes());
                // Public types may have others above them.
                into.put(name, CLASSES.transformClass(model, signatures()));
            }
        }
    }

    private static ClassTransform signatures() {
        return ClassTransform.dropping(
                        part ->
                                part instanceof MethodModel method && isPrivate(method.flags())
                                        || part instanceof FieldModel field
                                                && isPrivate(field.flags()))
                .andThen(
                        ClassTransform.transformingMethods(
                                MethodTransform.dropping(part -> part instanceof CodeAttribute)));
    }

    private static boolean isPrivate(AccessFlags flags) {
        return (flags.flagsMask() & ClassFile.ACC_PRIVATE) != 0;
    }
}
