/** Other JVMs, started as this one was. */
package org.vmferry.cli.jvm;
