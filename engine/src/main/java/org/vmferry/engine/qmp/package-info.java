/**
 * QEMU's control protocol for a host's migrations. Nothing else in the engine needs this package.
 */
package org.vmferry.engine.qmp;
