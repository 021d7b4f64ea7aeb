/** What the operating system tells of files and users, where the JDK has no word for it. */
package org.vmferry.engine.system;
