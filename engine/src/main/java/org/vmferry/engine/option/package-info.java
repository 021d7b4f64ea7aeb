/** What somebody asked for, and what the engine itself obeys. */
@NullMarked
package org.vmferry.engine.option;

import org.jspecify.annotations.NullMarked;
