/**
 * How bytes get from one side to the other: channels for streams, positioned files for snapshots.
 */
package org.vmferry.spi.transport;
