/**
 * Faults to inject: transports that delay, split, cut, corrupt, stall and refuse, a disk that fills
 * up, and RAM that changes under its reader. And forwarders, to break one thing and keep the rest.
 */
package org.vmferry.testkit.fault;
