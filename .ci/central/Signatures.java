import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Tries signatures with gpg and the public keys that it has; the same bytes once. */
final class Signatures {
    private static final Pattern SIGNED_BY = Pattern.compile("VALIDSIG (\\S+)");

    /** Whose it is, or why it is nobody's. */
    record Answer(String signer, String why) {}

    private final Map<List<String>, Answer> tried = new HashMap<>();

    Answer ask(Path file, Path signature) throws IOException, InterruptedException {
        List<String> bytes =
                List.of(Checksums.of(file, "SHA-256"), Checksums.of(signature, "SHA-256"));
        Answer known = tried.get(bytes);
        if (known != null) return known;
        Process gpg =
                new ProcessBuilder(
                                "gpg",
                                "--batch",
                                "--status-fd",
                                "1",
                                "--verify",
                                signature.toString(),
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        gpg.getOutputStream().close();
        String said = new String(gpg.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Matcher by = SIGNED_BY.matcher(said);
        Answer answer =
                gpg.waitFor() == 0 && by.find()
                        ? new Answer(by.group(1), null)
                        : new Answer(null, said.strip());
        tried.put(bytes, answer);
        return answer;
    }
}
