/** What stands for the engine in the tests of spi and of the plug-ins: it sees spi alone. */
package org.vmferry.spi.doubles;
