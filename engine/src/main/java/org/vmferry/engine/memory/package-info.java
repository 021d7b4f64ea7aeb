/** Guest RAM of a host that runs on Linux, made and watched with the kernel's help. */
package org.vmferry.engine.memory;
