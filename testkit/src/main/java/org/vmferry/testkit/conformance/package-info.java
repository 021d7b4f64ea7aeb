/**
 * What a part must do to work with every other: one abstract JUnit 5 class for each extension
 * point.
 *
 * <p>An author extends the one for his part and implements its factories; the tests come with it.
 * Each test cites a rule of docs/spi by its tag, and says when it fails what to look at. JUnit is
 * the author's own dependency.
 */
package org.vmferry.testkit.conformance;
