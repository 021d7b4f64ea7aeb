/** What a host is told: of a migration, and of a snapshot. */
@NullMarked
package org.vmferry.engine.report;

import org.jspecify.annotations.NullMarked;
