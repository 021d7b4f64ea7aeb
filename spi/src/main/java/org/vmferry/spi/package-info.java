/** What all extension points share: providers, sessions, features and errors. */
@NullMarked
package org.vmferry.spi;

import org.jspecify.annotations.NullMarked;
