/** Capabilities and parameters: typed constants under QEMU's own names; and who obeys them. */
@NullMarked
package org.vmferry.spi.option;

import org.jspecify.annotations.NullMarked;
