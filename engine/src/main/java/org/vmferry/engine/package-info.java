/** The engine: what a host embeds. */
package org.vmferry.engine;
