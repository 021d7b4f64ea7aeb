/** The machine around the RAM: run state and devices. */
package org.vmferry.spi.machine;
