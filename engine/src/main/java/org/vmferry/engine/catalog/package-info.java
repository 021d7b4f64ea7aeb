/** What may be set, by whom it is owned, and what goes together. */
package org.vmferry.engine.catalog;
