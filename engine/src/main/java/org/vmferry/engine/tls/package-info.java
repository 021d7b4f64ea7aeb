/** TLS over any channel, with credentials kept as QEMU keeps them. */
@NullMarked
package org.vmferry.engine.tls;

import org.jspecify.annotations.NullMarked;
