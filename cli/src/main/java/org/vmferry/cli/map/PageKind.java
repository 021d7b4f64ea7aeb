package org.vmferry.cli.map;

/** What a page looks like. It says nothing of what its guest takes it for. */
public enum PageKind {
    /** Every byte is zero. */
    ZERO('.', "zero"),
    /** The same eight bytes over and over. */
    SAME('=', "one value"),
    /** Nearly all that is not zero is printable ASCII. */
    TEXT('T', "text-like"),
    /** Many of its words are addresses of 64 bits. */
    POINTERS('P', "pointers"),
    /** Instructions of x86, 64-bit Arm or RISC-V follow each other closely. */
    CODE('C', "code-like"),
    /** As good as random: packed or encrypted, as a rule. */
    RANDOM('R', "random"),
    /** Anything else. */
    DATA('D', "other data");

    private final char letter;
    private final String said;

    PageKind(char letter, String said) {
        this.letter = letter;
        this.said = said;
    }

    /**
     * Its sign, for who sees no colours.
     *
     * @return one character of ASCII
     */
    public char letter() {
        return letter;
    }

    /**
     * Its name, for people.
     *
     * @return some words
     */
    public String said() {
        return said;
    }
}
