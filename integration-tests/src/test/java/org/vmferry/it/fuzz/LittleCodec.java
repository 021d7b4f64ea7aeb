package org.vmferry.it.fuzz;

import org.vmferry.spi.compression.CompressionProvider;
import org.vmferry.spi.option.Parameter;

/** Another one, with a number on the wire and an option. */
public final class LittleCodec implements CompressionProvider {
    private static final Parameter<Integer> LEVEL = Parameter.count("little-level", 3, 1, 9);

    @Override
    public String id() {
        return "little";
    }

    @Override
    public int wireMethod() {
        return 30;
    }

    @Override
    public Parameter<Integer> level() {
        return LEVEL;
    }

    @Override
    public Compressor compressor(int level) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Decompressor decompressor() {
        throw new UnsupportedOperationException();
    }
}
