/** Certificates for tests. */
package org.vmferry.testkit.tls;
