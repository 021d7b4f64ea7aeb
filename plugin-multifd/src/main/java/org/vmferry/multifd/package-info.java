/**
 * The page carrier multifd: over sockets, packets on channels of their own (docs/wire/multifd.md);
 * over files, workers that move runs to and from their places. And the zlib codec.
 */
package org.vmferry.multifd;
