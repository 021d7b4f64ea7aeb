/** What may be set, by whom it is owned, and what goes together. */
@NullMarked
package org.vmferry.engine.catalog;

import org.jspecify.annotations.NullMarked;
