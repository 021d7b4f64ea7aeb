/** What all extension points share: providers, sessions, features and errors. */
package org.vmferry.spi;
