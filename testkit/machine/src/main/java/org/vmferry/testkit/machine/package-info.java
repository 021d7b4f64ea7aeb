/**
 * The reference machine: a small real computer whose RAM, devices and run state are migrated in
 * tests and in the demo. See docs/reference-machine.md.
 */
package org.vmferry.testkit.machine;
