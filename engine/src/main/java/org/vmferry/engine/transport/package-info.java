/**
 * The transports that come with the engine: files, sockets, commands, and channels that the host
 * registered.
 */
package org.vmferry.engine.transport;
