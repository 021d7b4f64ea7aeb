package org.vmferry.cli;

import org.vmferry.spi.Printable;

import java.io.PrintStream;

/** Hands lines on to another stream, without what could drive a terminal. */
final class PrintableStream extends PrintStream {
    /** Hands on to a stream, at once. */
    PrintableStream(PrintStream to) {
        super(to, true, to.charset());
    }

    @Override
    public void print(String text) {
        super.print(Printable.lines(text));
    }

    @Override
    public void println(String line) {
        super.println(Printable.lines(line));
    }

    /** Stack traces come so. */
    @Override
    public void println(Object line) {
        super.println(Printable.lines(String.valueOf(line)));
    }
}
