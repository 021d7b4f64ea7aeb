package org.vmferry.testkit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.engine.Migration;
import org.vmferry.engine.discovery.Plugins;
import org.vmferry.engine.option.Settings;
import org.vmferry.spi.machine.RunState;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;
import org.vmferry.testkit.parts.LoopTransport;
import org.vmferry.testkit.tls.TestCertificates;

import java.nio.file.Path;

/** The transport of docs/plugins.md carries a guest that runs, with TLS on all its channels. */
class LoopMigrationTest {
    @TempDir Path folder;

    @Test
    void whatClaimsTlsDoesNothingForIt() throws Exception {
        Path keys = TestCertificates.in(folder.resolve("pki")).folder();
        Settings settings =
                Settings.NONE
                        .capability("multifd")
                        .capability("return-path")
                        .parameter("max-bandwidth", "0")
                        .parameter("tls-creds", keys.toString());
        Engine engine = new Engine(Plugins.discover().plus(new LoopTransport()));
        ReferenceMachineBuilder builder = ReferenceMachine.builder().ram(2 << 20).dirtyWindow(200);
        try (ReferenceMachine source = builder.build();
                ReferenceMachine destination = builder.build();
                ReferenceMachine twin = builder.build()) {
            source.enter(RunState.RUNNING);
            Migration incoming = engine.receive(destination, "loop:0", settings);
            String there = incoming.address().toString();
            engine.send(source, there, settings.parameter("tls-hostname", TestCertificates.HOST))
                    .await();
            incoming.await();
            destination.enter(RunState.PAUSED);
            twin.runFor(destination.instructions());
            assertThat(destination.digest()).isEqualTo(twin.digest());
        }
    }
}
