/** Guest RAM of a host that runs on Linux, made and watched with the kernel's help. */
@NullMarked
package org.vmferry.engine.memory;

import org.jspecify.annotations.NullMarked;
