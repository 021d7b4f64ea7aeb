/** A migration as its QMP tells of it. */
package org.vmferry.cli.watch;
