/**
 * The mapped-ram layout (docs/wire/mapped-ram.md): every page has a place of its own in a file, so
 * that any worker can move any run, pages written again go to the same place, and a file can be
 * mapped as guest RAM.
 */
package org.vmferry.mappedram;
