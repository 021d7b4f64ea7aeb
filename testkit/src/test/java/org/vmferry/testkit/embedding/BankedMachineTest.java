package org.vmferry.testkit.embedding;

import org.vmferry.spi.machine.Machine;
import org.vmferry.testkit.conformance.MachineConformance;

class BankedMachineTest extends MachineConformance {
    @Override
    protected Machine machine() {
        return new BankedMachine();
    }
}
