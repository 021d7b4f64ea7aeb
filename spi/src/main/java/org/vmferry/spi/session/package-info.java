/** One migration, as its parts see it. */
@NullMarked
package org.vmferry.spi.session;

import org.jspecify.annotations.NullMarked;
