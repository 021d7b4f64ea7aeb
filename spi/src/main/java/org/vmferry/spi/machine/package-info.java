/** The machine around the RAM: run state and devices. */
@NullMarked
package org.vmferry.spi.machine;

import org.jspecify.annotations.NullMarked;
