/** What somebody asked for, and what the engine itself obeys. */
package org.vmferry.engine.option;
