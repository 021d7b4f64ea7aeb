/** Finding plug-ins: class path, module path, folders and containers; one guard around each. */
@NullMarked
package org.vmferry.engine.discovery;

import org.jspecify.annotations.NullMarked;
