package org.vmferry.spi.machine;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.ObjLongConsumer;
import java.util.function.ToLongFunction;

/** A device whose state is numbers with names: each is a u64. */
record NumbersDevice(
        String id, List<String> names, ToLongFunction<String> get, ObjLongConsumer<String> set)
        implements DeviceState {
    NumbersDevice {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(get, "get");
        Objects.requireNonNull(set, "set");
        names = List.copyOf(Objects.requireNonNull(names, "names"));
        if (names.size() != Set.copyOf(names).size())
            throw new IllegalArgumentException(
                    "device '%s' has two numbers of one name: %s".formatted(id, names));
    }

    @Override
    public void save(DataOutput out) throws IOException {
        try {
            for (String name : names) out.writeLong(get.applyAsLong(name));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** Too few bytes leave the device as it was. */
    @Override
    public void load(DataInput in, int version) throws IOException {
        long[] values = new long[names.size()];
        for (int i = 0; i < values.length; i++) values[i] = in.readLong();
        try {
            for (int i = 0; i < values.length; i++) set.accept(names.get(i), values[i]);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    @Override
    public List<Field> fields() {
        return names.stream().map(name -> new Field(name, Long.BYTES)).toList();
    }
}
