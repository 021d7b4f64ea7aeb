package org.vmferry.mappedram;

import org.vmferry.spi.layout.Placement;
import org.vmferry.spi.ram.RamBlock;

import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The blocks' places in the file, and who moves pages there or from there. */
record Places(Map<String, Area> areas, Supplier<Placement.RunMover> movers)
        implements Placement.Placed {
    @Override
    public Placement.RunMover mover() {
        return movers.get();
    }

    @Override
    public Optional<Placement.Place> place(RamBlock block) {
        return Optional.ofNullable(areas.get(block.id()))
                .map(
                        area ->
                                new Placement.Place(
                                        area.place().header().bitmapOffset(),
                                        area.place().header().pagesOffset(),
                                        area.present()));
    }
}
