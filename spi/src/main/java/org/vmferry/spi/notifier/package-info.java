/** Listeners that are told of a migration, and may veto it while it is set up. */
@NullMarked
package org.vmferry.spi.notifier;

import org.jspecify.annotations.NullMarked;
