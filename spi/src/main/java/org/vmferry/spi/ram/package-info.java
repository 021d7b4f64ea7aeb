/** Guest RAM: blocks, runs of pages, page bitmaps and the dirty log. */
@NullMarked
package org.vmferry.spi.ram;

import org.jspecify.annotations.NullMarked;
