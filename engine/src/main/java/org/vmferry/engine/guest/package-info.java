/** What a host runs its guest with, if it has nothing of its own. */
package org.vmferry.engine.guest;
