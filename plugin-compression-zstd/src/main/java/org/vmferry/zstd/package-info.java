/** The codec zstd. */
package org.vmferry.zstd;
