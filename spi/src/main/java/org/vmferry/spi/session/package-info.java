/** One migration, as its parts see it. */
package org.vmferry.spi.session;
