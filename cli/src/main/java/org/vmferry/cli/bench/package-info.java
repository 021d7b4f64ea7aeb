/** Measurements beside a real QEMU. */
package org.vmferry.cli.bench;
