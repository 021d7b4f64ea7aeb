package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

class RehearsalTest {
    @TempDir Path folder;

    @Test
    void allOfItsCommandsSucceed() throws Exception {
        Rehearsal.main(new String[] {folder.toString()}); // throws if one does not
        assertThat(folder).isDirectoryContaining("glob:**/{placed,stream,raw}");
    }
}
