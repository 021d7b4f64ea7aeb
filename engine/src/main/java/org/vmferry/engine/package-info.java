/** The engine: what a host embeds. */
@NullMarked
package org.vmferry.engine;

import org.jspecify.annotations.NullMarked;
