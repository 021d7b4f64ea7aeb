package org.vmferry.it.faults.thousand;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.ToolProvider;

/**
 * A source of ours with a piece of its text replaced, compiled into a folder. In front of a class
 * path the folder breaks one rule of the product, which has no switch for it.
 */
final class Mutant {
    private static final Path ROOT = Path.of(System.getProperty("vmferry.root"));

    private Mutant() {}

    /**
     * Makes one; fails if a piece is not there just once.
     *
     * @param source of the product, from the repository's root
     * @param pieces what is replaced, by what
     * @param into is made
     */
    static void compile(String source, Map<String, String> pieces, Path into) throws IOException {
        Path file = ROOT.resolve(source);
        String text = Files.readString(file);
        for (Map.Entry<String, String> piece : pieces.entrySet()) {
            String old = piece.getKey();
            int at = text.indexOf(old);
            assertThat(at).as("%s has no more: %s", source, old).isNotNegative();
            assertThat(text.indexOf(old, at + 1)).as("%s has twice: %s", source, old).isNegative();
            text = text.replace(old, piece.getValue());
        }
        Files.createDirectories(into);
        Path mutated = Files.writeString(into.resolve(file.getFileName()), text);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        try (var files = compiler.getStandardFileManager(said, null, null)) {
            List<String> options =
                    List.of(
                            "-proc:none",
                            "-d",
                            into.toString(),
                            "-cp",
                            System.getProperty("java.class.path"));
            boolean done =
                    compiler.getTask(
                                    null,
                                    files,
                                    said,
                                    options,
                                    null,
                                    files.getJavaFileObjects(mutated))
                            .call();
            assertThat(done).as("%s", said.getDiagnostics()).isTrue();
        }
    }
}
