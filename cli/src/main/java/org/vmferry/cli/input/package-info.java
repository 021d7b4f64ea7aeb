/** What comes from front to back, for who reads files: pipes, and what is unpacked. */
package org.vmferry.cli.input;
