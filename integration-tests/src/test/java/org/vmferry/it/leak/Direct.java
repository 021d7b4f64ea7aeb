package org.vmferry.it.leak;

import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.memory.ComparingRam;
import org.vmferry.engine.option.Settings;
import org.vmferry.it.support.Leftovers;
import org.vmferry.it.support.Relay;
import org.vmferry.spi.MigrationException;
import org.vmferry.spi.machine.ForwardingMachine;
import org.vmferry.spi.machine.Machine;
import org.vmferry.spi.machine.RunState;
import org.vmferry.spi.ram.RamProvider;
import org.vmferry.testkit.machine.HostMemory;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.tls.TestCertificates;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.management.ObjectName;

/**
 * A process that migrates a guest whose RAM is no native memory to itself, as it is told, and says
 * how much memory it has outside its heap then.
 */
final class Direct {
    private Direct() {}

    /** The process; its argument is a folder with certificates. */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
        TestCertificates certificates = new TestCertificates(Path.of(arguments[0]));
        Engine engine = Engine.create();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.split(" ");
            Settings settings =
                    Settings.NONE
                            .capability("return-path")
                            .parameter("tls-creds", certificates.folder().toString());
            if (!words[0].equals("0"))
                settings =
                        settings.capability("multifd")
                                .parameter("multifd-channels", words[0])
                                .parameter("multifd-compression", words[1]);
            System.out.println(migrate(engine, settings, words[2]) + " " + used());
        }
    }

    /** Bytes outside the heap that Java code has, direct buffers' and arenas'. */
    private static long used() throws Exception {
        Leftovers.assertNoThreads(); // the JDK keeps a buffer for each living one that writes
        String report =
                (String)
                        ManagementFactory.getPlatformMBeanServer()
                                .invoke(
                                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                                        "vmNativeMemory",
                                        new Object[] {new String[] {"summary", "scale=B"}},
                                        new String[] {String[].class.getName()});
        Matcher other = Pattern.compile("Other \\(reserved=(\\d+)").matcher(report);
        return other.find() ? Long.parseLong(other.group(1)) : 0;
    }

    private static String migrate(Engine engine, Settings settings, String ends) throws Exception {
        try (ReferenceMachine from = machine();
                ReferenceMachine to = machine()) {
            from.enter(RunState.RUNNING);
            Migration load = engine.receive(to, "tcp:127.0.0.1:0", settings);
            Settings own = settings.parameter("tls-hostname", TestCertificates.HOST);
            if (!ends.equals("whole"))
                own = own.parameter("max-bandwidth", "300000").parameter("downtime-limit", "1");
            try (Relay link = new Relay(load.address().toString(), Relay.Fault.NONE)) {
                Migration save = engine.send(compared(from), link.address(), own);
                if (!ends.equals("whole")) {
                    while (save.statistics().transferred() < 50_000) LockSupport.parkNanos(200_000);
                }
                switch (ends) {
                    case "whole" -> load.await();
                    case "cancelled" -> load.cancel();
                    case "yanked" -> load.yank();
                    default -> {
                        link.hold(); // a peer that takes nothing any more
                        save.change(Settings.NONE.parameter("max-bandwidth", "0"));
                        save.change(Settings.NONE.parameter("silence-timeout", "300"));
                        while (!save.await(Duration.ofSeconds(1))) {}
                        link.cut();
                    }
                }
                return outcome(save) + "/" + outcome(load);
            }
        }
    }

    /** The same machine, and what its guest writes is found out by comparing with a copy. */
    private static Machine compared(Machine machine) {
        RamProvider ram = new ComparingRam(machine.ram().blocks());
        return new ForwardingMachine(machine) {
            @Override
            public RamProvider ram() {
                return ram;
            }
        };
    }

    private static ReferenceMachine machine() {
        return ReferenceMachine.builder()
                .ram(1 << 20)
                .dirtyWindow(200)
                .dirtyEvery(5000)
                .hostMemory(HostMemory.BYTES)
                .build();
    }

    private static String outcome(Migration migration) throws InterruptedException {
        try {
            migration.await();
        } catch (MigrationException e) {
            return migration.state().wireName()
                    + ":"
                    + e.blame()
                    + ":"
                    + e.getMessage().replace(' ', '_');
        }
        return migration.state().wireName();
    }
}
