/** Listeners that are told of a migration, and may veto it while it is set up. */
package org.vmferry.spi.notifier;
