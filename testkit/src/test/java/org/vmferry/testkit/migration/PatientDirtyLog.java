package org.vmferry.testkit.migration;

import org.vmferry.spi.ram.DirtyLog;
import org.vmferry.spi.ram.PageBitmap;
import org.vmferry.spi.ram.RamBlock;
import org.vmferry.testkit.machine.ReferenceMachine;
import org.vmferry.testkit.machine.ReferenceMachineBuilder;

import java.util.function.UnaryOperator;

/**
 * Ends a round not before the guest has executed so much, in the first rounds: so a guest that is
 * given little of a loaded processor dirties what it would on an idle one.
 */
final class PatientDirtyLog implements DirtyLog {
    private final DirtyLog log;
    private final long instructions;
    private ReferenceMachine machine;
    private int rounds;

    private PatientDirtyLog(DirtyLog log, int rounds, long instructions) {
        this.log = log;
        this.rounds = rounds;
        this.instructions = instructions;
    }

    /** Builds a machine with such a log around the one that the wrapper makes of its own. */
    static ReferenceMachine machine(
            ReferenceMachineBuilder builder,
            UnaryOperator<DirtyLog> wrapper,
            int rounds,
            long instructions) {
        PatientDirtyLog[] made = new PatientDirtyLog[1];
        ReferenceMachine machine =
                builder.dirtyLog(
                                log -> {
                                    made[0] =
                                            new PatientDirtyLog(
                                                    wrapper.apply(log), rounds, instructions);
                                    return made[0];
                                })
                        .build();
        made[0].machine = machine;
        return machine;
    }

    @Override
    public void start() {
        machine.throttle().orElseThrow().set(0);
        log.start();
    }

    @Override
    public void stop() {
        log.stop();
    }

    @Override
    public void harvest(RamBlock block, PageBitmap into) {
        if (block.id().equals("ref.rom") && rounds-- > 0) { // the first block
            LingeringMachine.run(machine, instructions);
        }
        log.harvest(block, into);
    }
}
