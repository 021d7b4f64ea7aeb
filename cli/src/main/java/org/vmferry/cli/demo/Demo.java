package org.vmferry.cli.demo;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Inspection;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.ram.RamBlock;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/** What a host author would write: save a machine, restore it twice, prove that it is the same. */
public final class Demo {
    private static final Settings MAPPED_RAM = Settings.NONE.capability("mapped-ram");

    /**
     * What came out.
     *
     * @param inspection of the snapshot
     * @param snapshotBytes the file's length
     * @param saveMs time to save
     * @param restoreMs time to restore by copying
     * @param mapMs time to restore by mapping
     * @param checksums CRC-32C of each block, the same before and after
     * @param devices their state, the same before and after
     */
    public record Result(
            Inspection inspection,
            long snapshotBytes,
            double saveMs,
            double restoreMs,
            double mapMs,
            Map<String, Long> checksums,
            String devices) {}

    private Demo() {}

    /**
     * Runs it.
     *
     * @param directory where the snapshot goes
     * @return the proof
     * @throws IOException if anything fails, or is not the same afterwards
     * @throws InterruptedException if the thread was interrupted
     */
    public static Result run(Path directory) throws IOException, InterruptedException {
        Path file = directory.resolve("demo.snap");
        String uri = "file:" + file;
        Engine engine = Engine.create();

        try (var original = new DemoMachine(false).boot();
                var copied = new DemoMachine(false);
                var mapped = new DemoMachine(true)) {
            long begin = System.nanoTime();
            engine.send(original, uri, MAPPED_RAM).await();
            double saveMs = msSince(begin);

            Inspection inspection = engine.inspect(uri);

            begin = System.nanoTime();
            engine.receive(copied, uri, MAPPED_RAM).await();
            double restoreMs = msSince(begin);

            begin = System.nanoTime();
            engine.receive(mapped, uri, MAPPED_RAM).await();
            double mapMs = msSince(begin);

            checkSame(original, copied, "copied");
            checkSame(original, mapped, "mapped");
            return new Result(
                    inspection,
                    Files.size(file),
                    saveMs,
                    restoreMs,
                    mapMs,
                    checksums(original),
                    original.devicesNow());
        }
    }

    private static double msSince(long begin) {
        return (System.nanoTime() - begin) / 1e6;
    }

    private static void checkSame(DemoMachine original, DemoMachine restored, String how)
            throws MigrationException {
        List<RamBlock> before = original.ram().blocks();
        List<RamBlock> after = restored.ram().blocks();
        for (int i = 0; i < before.size(); i++) {
            MemorySegment expected = before.get(i).memory().orElseThrow();
            long mismatch = expected.mismatch(after.get(i).memory().orElseThrow());
            if (mismatch >= 0)
                throw MigrationException.host(
                        "the %s machine differs in RAM block '%s' at byte %d",
                        how, before.get(i).id(), mismatch);
        }
        if (!checksums(original).equals(checksums(restored)))
            throw MigrationException.host("the %s machine's checksums differ", how);
        if (!original.devicesNow().equals(restored.devicesNow()))
            throw MigrationException.host(
                    "the %s machine's devices differ: %s", how, restored.devicesNow());
    }

    private static Map<String, Long> checksums(DemoMachine machine) {
        Map<String, Long> checksums = new LinkedHashMap<>();
        for (RamBlock block : machine.ram().blocks()) {
            CRC32C sum = new CRC32C();
            sum.update(block.memory().orElseThrow().asByteBuffer());
            checksums.put(block.id(), sum.getValue());
        }
        return checksums;
    }
}
