/** Capabilities and parameters: typed constants under QEMU's own names; and who obeys them. */
package org.vmferry.spi.option;
