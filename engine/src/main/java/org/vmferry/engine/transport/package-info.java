/**
 * The transports that come with the engine: files, sockets, commands, and channels that the host
 * registered.
 */
@NullMarked
package org.vmferry.engine.transport;

import org.jspecify.annotations.NullMarked;
