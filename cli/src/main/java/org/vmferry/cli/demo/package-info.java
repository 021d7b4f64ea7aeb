/** The reference machine, run by three processes in turn: what {@code vmferry demo} shows. */
package org.vmferry.cli.demo;
