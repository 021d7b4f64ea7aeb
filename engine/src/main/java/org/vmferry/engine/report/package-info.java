/** What a host is told: of a migration, and of a snapshot. */
package org.vmferry.engine.report;
