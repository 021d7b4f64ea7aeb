/** Codecs for pages on their way. */
@NullMarked
package org.vmferry.spi.compression;

import org.jspecify.annotations.NullMarked;
