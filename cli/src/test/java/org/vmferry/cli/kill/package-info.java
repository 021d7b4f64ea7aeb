/** Either side of a migration, killed at any moment: who runs the guest then. */
package org.vmferry.cli.kill;
