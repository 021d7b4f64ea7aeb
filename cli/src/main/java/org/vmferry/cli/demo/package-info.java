/** A host in miniature: the worked example behind {@code vmferry demo}. */
package org.vmferry.cli.demo;
