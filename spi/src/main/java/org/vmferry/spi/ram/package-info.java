/** Guest RAM: blocks, runs of pages, page bitmaps and the dirty log. */
package org.vmferry.spi.ram;
