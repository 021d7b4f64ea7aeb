package org.vmferry.it.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.vmferry.engine.memory.KernelDirtyLog;
import org.vmferry.it.support.Tools;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The kernel watches the memory of a process without rights, too. */
class OrdinaryUserTest {
    private static final String NOBODY = "65534";

    /** One of each place in the class path that is needed. */
    private static final List<Class<?>> NEEDED =
            List.of(OrdinaryUserTest.class, KernelDirtyLog.class, RamBlock.class, Logger.class);

    @TempDir Path folder;

    /** What runs as nobody: says which of its pages were stored to. */
    static final class Watched {
        public static void main(String[] none) {
            MemorySegment memory = Arena.ofAuto().allocate(64 * 4096, 4096);
            RamBlock block = RamBlock.of("a", memory, 4096);
            System.out.println("obstacle " + KernelDirtyLog.obstacle(block).orElse("none"));
            KernelDirtyLog log = new KernelDirtyLog(List.of(block));
            log.start();
            memory.set(ValueLayout.JAVA_BYTE, 9 * 4096, (byte) 1);
            PageBitmap dirty = new PageBitmap(64);
            log.harvest(block, dirty);
            log.stop();
            System.out.println("dirty " + dirty.nextSet(0) + ", in all " + dirty.cardinality());
        }
    }

    @Test
    void nobodysStoresAreSeen() throws Exception {
        MemorySegment memory = Arena.ofAuto().allocate(4096, 4096);
        KernelDirtyLog.obstacle(RamBlock.of("a", memory, 4096))
                .ifPresent(why -> assumeTrue(false, why));
        assumeTrue(
                (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0,
                "only root may become nobody");
        Tools.require("setpriv");
        Process process =
                new ProcessBuilder(
                                "setpriv",
                                "--reuid=" + NOBODY,
                                "--regid=" + NOBODY,
                                "--clear-groups",
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                readableClassPath(),
                                Watched.class.getName())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).contains("obstacle none\n", "dirty 9, in all 1\n");
    }

    /** Somebody else's home may be closed. */
    private String readableClassPath() throws Exception {
        open(folder);
        List<String> places = new ArrayList<>();
        for (Class<?> one : NEEDED) {
            Path from = Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
            Path to = folder.resolve("" + places.size());
            if (Files.isDirectory(from)) copy(from, to);
            else Files.copy(from, to);
            places.add(to.toString());
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path one : all.toList()) open(one);
        }
        return String.join(File.pathSeparator, places);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path one : all.toList()) Files.copy(one, to.resolve(from.relativize(one)));
        }
    }

    private static void open(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
