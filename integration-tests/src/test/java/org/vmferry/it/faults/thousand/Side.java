package org.vmferry.it.faults.thousand;

/** Of a migration. */
enum Side {
    SOURCE,
    DESTINATION
}
