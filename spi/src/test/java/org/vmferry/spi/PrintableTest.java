package org.vmferry.spi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class PrintableTest {
    private static final String HOSTILE = "a\u001b[2Jb\nc\u202ed\te\u2028f\u0085g\ud800";

    @Test
    void aHostileNameDrivesNoTerminal() {
        assertThat(Printable.line(HOSTILE)).isEqualTo("a?[2Jb c?d e?f?g?");
        assertThat(Printable.line("Gäste, 客户机 \ud83d\ude00")).isEqualTo("Gäste, 客户机 \ud83d\ude00");
        assertThat(Printable.line(null)).isEmpty();
    }

    @Test
    void aStackTraceKeepsItsLines() {
        assertThat(Printable.lines(HOSTILE)).isEqualTo("a?[2Jb\nc?d\te?f?g?");
    }

    @Test
    void anExceptionsNamesDriveNoTerminal() {
        assertThat(MigrationException.peer("block '%s'", HOSTILE))
                .hasMessage("block 'a?[2Jb c?d e?f?g?'");
        assertThat(MigrationException.of(new java.io.IOException(HOSTILE)).getMessage())
                .doesNotContain("\u001b");
    }

    /** A host's logger goes down the causes. */
    @Test
    void neitherDoTheirCauses() {
        Exception root = new java.nio.file.NoSuchFileException(HOSTILE);
        Exception between = new IllegalStateException("between", root);
        between.addSuppressed(new java.io.IOException(HOSTILE));
        MigrationException e = new MigrationException(Blame.HOST, "it", between);
        assertThat(e.getCause()).hasMessage("java.lang.IllegalStateException: between");
        assertThat(e.getCause()).hasToString("java.lang.IllegalStateException: between");
        assertThat(e.getCause().getStackTrace()).isEqualTo(between.getStackTrace());
        assertThat(e.getCause().getCause())
                .hasMessage("java.nio.file.NoSuchFileException: a?[2Jb c?d e?f?g?");
        assertThat(e.getCause().getSuppressed()[0])
                .hasMessage("java.io.IOException: a?[2Jb c?d e?f?g?");
        // What says nothing of the kind is handed on itself.
        Exception plain = new java.nio.file.NoSuchFileException("plain");
        assertThat(new MigrationException(Blame.HOST, "it", plain).getCause()).isSameAs(plain);
        assertThat(new MigrationException(Blame.HOST, "it", e).getCause()).isSameAs(e);
    }

    @Test
    void whoCannotSayWhatHappenedIsNamed() {
        RuntimeException mute =
                new RuntimeException() {
                    private static final long serialVersionUID = 1L;

                    @Override
                    public String toString() {
                        throw new IllegalStateException();
                    }

                    @Override
                    public synchronized Throwable getCause() {
                        throw new IllegalStateException();
                    }
                };
        Throwable shown = Printable.thrown(new IllegalStateException("said", mute));
        assertThat(shown.getCause()).hasToString(mute.getClass().getName()).hasNoCause();
    }

    @Test
    void causesThatGoRoundEnd() {
        Exception one = new Exception(HOSTILE);
        Exception other = new Exception("other", one);
        one.initCause(other);
        Throwable shown = Printable.thrown(other);
        assertThat(shown).hasMessage("java.lang.Exception: other");
        assertThat(shown.getCause()).hasMessage("java.lang.Exception: a?[2Jb c?d e?f?g?");
        assertThat(shown.getCause().getCause()).isNull();
        assertThat(Printable.thrown(null)).isNull();
    }

    @Test
    void aWordForAShellIsOneWord() throws Exception {
        for (String name :
                List.of(
                        "plain",
                        "",
                        "two words",
                        "x'; touch PWNED; echo '",
                        "$(touch PWNED) `touch PWNED` \\ \" !",
                        "new\nline, \u001b[2J and \u202e, o\u0301ctal7",
                        "\u001b'\\",
                        "-rf")) {
            String word = Printable.shellWord(name);
            assertThat(word).isEqualTo(Printable.line(word));
            assertThat(said(word)).as(word).isEqualTo(name);
        }
        assertThat(Path.of("PWNED")).doesNotExist();
    }

    private static String said(String word) throws Exception {
        Path out = Files.createTempFile("vmferry-word", "");
        try {
            Process shell =
                    new ProcessBuilder("bash", "-c", "printf %s " + word)
                            .redirectOutput(out.toFile())
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            assertThat(shell.waitFor()).isZero();
            return Files.readString(out);
        } finally {
            Files.delete(out);
        }
    }
}
