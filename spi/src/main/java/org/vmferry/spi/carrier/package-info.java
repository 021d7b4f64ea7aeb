/** Who moves the pages: which threads, over which channels. */
package org.vmferry.spi.carrier;
