/** What stands for the engine, or for a host, in the tests of all modules: it sees spi alone. */
package org.vmferry.spi.doubles;
