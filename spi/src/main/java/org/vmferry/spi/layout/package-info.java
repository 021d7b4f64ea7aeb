/** How RAM lies in the stream or file. */
package org.vmferry.spi.layout;
