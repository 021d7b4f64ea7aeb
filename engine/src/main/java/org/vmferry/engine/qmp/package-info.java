/**
 * QEMU's control protocol for a host's migrations. Nothing else in the engine needs this package.
 */
@NullMarked
package org.vmferry.engine.qmp;

import org.jspecify.annotations.NullMarked;
