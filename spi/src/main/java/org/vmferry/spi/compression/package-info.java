/** Codecs for pages on their way. */
package org.vmferry.spi.compression;
