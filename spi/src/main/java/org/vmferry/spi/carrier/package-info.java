/** Who moves the pages: which threads, over which channels. */
@NullMarked
package org.vmferry.spi.carrier;

import org.jspecify.annotations.NullMarked;
