/** A machine that keeps what another one sent. */
package org.vmferry.cli.archive;
