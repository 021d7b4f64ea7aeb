package org.vmferry.cli;

/**
 * What the command writes to, as far as its launcher knows.
 *
 * @param out whether standard output is a terminal
 * @param err whether standard error is
 * @param width columns
 * @param moves whether standard error's cursor can be told to go up
 * @param colours whether either may be told to change its colours, if it is a terminal
 */
record Terminal(boolean out, boolean err, int width, boolean moves, boolean colours) {
    private static final int USUAL = 80;
    private static final int NARROW = 20;
    private static final int WIDE = 400;

    private static final String CYAN = "\u001b[36m";
    private static final String YELLOW = "\u001b[33m";
    private static final String PLAIN = "\u001b[0m";

    /** This process' one. */
    static Terminal here() {
        String none = System.getenv("NO_COLOR"); // as https://no-color.org has it
        boolean dumb = "dumb".equals(System.getenv("TERM"));
        boolean err = Boolean.getBoolean("vmferry.terminal");
        return new Terminal(
                Boolean.getBoolean("vmferry.terminal.out"),
                err,
                Math.clamp(Integer.getInteger("vmferry.width", USUAL), NARROW, WIDE),
                err && !dumb,
                !dumb && (none == null || none.isEmpty()));
    }

    /** Text in the first of two colours, if there may be any. */
    String first(String text) {
        return colours ? CYAN + text + PLAIN : text;
    }

    /** Text in the other one, which is that of warnings, too. */
    String second(String text) {
        return colours ? YELLOW + text + PLAIN : text;
    }
}
