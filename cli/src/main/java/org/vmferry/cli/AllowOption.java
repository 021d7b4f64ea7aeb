package org.vmferry.cli;

import org.vmferry.engine.transport.AllowedAddresses;
import org.vmferry.spi.transport.Address;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.List;

/** What an address on the command line may be: for scripts that hand on somebody else's. */
final class AllowOption {
    @Option(
            names = "--allow",
            paramLabel = "TRANSPORT[:DIR]",
            split = ",",
            description =
                    "Refuse a URI of any other transport, such as exec, which runs a command; file"
                            + " and unix may name a folder. Many times, or with commas:"
                            + " --allow tcp,unix:/run/vm (default: all).")
    private List<String> rules = List.of();

    /** Refuses what is not allowed: before anything is read or listened for. */
    void check(String uri) throws IOException {
        if (rules.isEmpty()) return;
        AllowedAddresses.of(rules).check(Address.parse(uri));
    }
}
