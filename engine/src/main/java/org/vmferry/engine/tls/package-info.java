/** TLS over any channel, with credentials kept as QEMU keeps them. */
package org.vmferry.engine.tls;
