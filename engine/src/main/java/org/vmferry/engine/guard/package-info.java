/** The way into code that is not ours: a host's, and a plug-in's. */
package org.vmferry.engine.guard;
