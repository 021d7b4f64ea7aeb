/** Capabilities and parameters: typed constants under QEMU's own names. */
package org.vmferry.spi.option;
