/** The vmferry command. */
package org.vmferry.cli;
