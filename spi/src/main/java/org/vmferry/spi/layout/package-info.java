/** How RAM lies in the stream or file. */
@NullMarked
package org.vmferry.spi.layout;

import org.jspecify.annotations.NullMarked;
