/**
 * How bytes get from one side to the other: channels for streams, positioned files for snapshots.
 */
@NullMarked
package org.vmferry.spi.transport;

import org.jspecify.annotations.NullMarked;
