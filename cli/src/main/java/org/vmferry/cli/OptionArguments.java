package org.vmferry.cli;

import org.vmferry.engine.option.Settings;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

import java.util.List;

/** Capabilities and parameters on the command line, under QEMU's own names. */
final class OptionArguments {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = {"-c", "--capability"},
            paramLabel = "CAPABILITY",
            description = "Switch on a capability, such as mapped-ram. Many times.")
    private List<String> capabilities = List.of();

    @Option(
            names = {"-p", "--parameter"},
            paramLabel = "PARAMETER=VALUE",
            description = "Set a parameter, such as max-bandwidth=0. Many times.")
    private List<String> parameters = List.of();

    /** What was typed; the engine knows whether it makes sense. */
    Settings settings() {
        Settings settings = Settings.NONE;
        for (String capability : capabilities) settings = settings.capability(capability);
        for (String parameter : parameters) {
            int equals = parameter.indexOf('=');
            if (equals < 1)
                throw new ParameterException(
                        command.commandLine(), "-p takes PARAMETER=VALUE, not '" + parameter + "'");
            settings =
                    settings.parameter(
                            parameter.substring(0, equals), parameter.substring(equals + 1));
        }
        return settings;
    }
}
