/** Finding plug-ins: class path, module path, folders and containers; one guard around each. */
package org.vmferry.engine.discovery;
