/** What guest RAM looks like, from the outside. */
package org.vmferry.cli.map;
