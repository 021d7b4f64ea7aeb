/** What a host runs its guest with, if it has nothing of its own. */
@NullMarked
package org.vmferry.engine.guest;

import org.jspecify.annotations.NullMarked;
