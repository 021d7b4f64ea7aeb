package org.vmferry.it.interop;

import org.vmferry.it.qemu.QemuBinary;

import java.util.ArrayList;
import java.util.List;

/**
 * A machine of a QEMU.
 *
 * @param name the row of the page
 * @param target the QEMU's, as in qemu-system-TARGET
 * @param machine the machine type, with its properties
 * @param options more of QEMU's options; FILE stands for one of 16 MiB
 * @param in which of the QEMUs have it so
 */
record Board(String name, String target, String machine, List<String> options, Versions in) {
    enum Versions {
        BOTH,
        NEW,
        OLD
    }

    private static Board of(String target, String machine, String... options) {
        return new Board(target + " " + machine, target, machine, words(options), Versions.BOTH);
    }

    private Board named(String more) {
        return new Board(target + " " + more, target, machine, options, in);
    }

    private Board only(Versions those) {
        return new Board(name, target, machine, options, those);
    }

    /** Those that a QEMU of this version has. */
    static List<Board> of(QemuBinary qemu) {
        return of(qemu, all());
    }

    private static List<Board> of(QemuBinary qemu, List<Board> boards) {
        Versions not = qemu.atLeast(10, 0) ? Versions.OLD : Versions.NEW;
        return boards.stream().filter(board -> board.in != not).toList();
    }

    static final Board PC = of("x86_64", "pc", "-m 8M");

    /**
     * The short form's: a PC, one with pages of 1 KiB, and two whose sections go on beside RAM's.
     * They take little time, and each build's machine has their QEMUs.
     */
    static List<Board> small(QemuBinary qemu) {
        Board s390x = of("s390x", "s390-ccw-virtio", "-m 4M").only(Versions.NEW);
        Board pseries = of("ppc64", "pseries", "-m 256M").only(Versions.NEW);
        return of(qemu, List.of(PC, of("arm", "microbit"), s390x, pseries));
    }

    private static List<String> words(String... options) {
        List<String> words = new ArrayList<>();
        for (String option : options) words.addAll(List.of(option.split(" ")));
        return words;
    }

    private static final String SMALL = "-m 16M";

    /** What Debian's QEMUs have that a guest can be saved of: each target, and each odd kind. */
    static List<Board> all() {
        return List.of(
                of("x86_64", "pc", SMALL),
                of("x86_64", "q35", SMALL, RICH).named("q35 with virtio, USB, VGA, AHCI"),
                of("x86_64", "q35,max-ram-below-4g=16M", "-m 24M").named("q35 split at 16 MiB"),
                of("x86_64", "pc", "-m 16M,slots=2,maxmem=1G", DIMM).named("pc with a DIMM"),
                of("x86_64", "q35", "-m 16M,slots=2,maxmem=1G", VIRTIO_MEM)
                        .named("q35 with virtio-mem"),
                of("x86_64", "q35", SMALL, "-uuid 8a9b1f2e-0d3c-4b5a-9687-77665544aabb")
                        .named("q35 with a UUID"),
                of("x86_64", "microvm", SMALL),
                of("x86_64", "isapc", SMALL),
                of("i386", "pc", SMALL).only(Versions.NEW),
                of("aarch64", "virt", SMALL),
                of("arm", "microbit"),
                of("riscv64", "virt", SMALL),
                of("ppc64", "pseries", "-m 256M"),
                of("s390x", "s390-ccw-virtio", SMALL),
                of("sparc64", "sun4u", SMALL),
                of("aarch64", "xlnx-zcu102", "-m 64M"),
                of("arm", "virt", SMALL),
                of("arm", "versatilepb", SMALL),
                of("arm", "vexpress-a9", SMALL),
                of("arm", "imx25-pdk", SMALL),
                of("arm", "palmetto-bmc"),
                of("arm", "mps2-an385"),
                of("arm", "netduinoplus2"),
                of("alpha", "clipper", SMALL),
                of("avr", "arduino-mega"),
                of("hppa", "B160L", SMALL).only(Versions.NEW),
                of("hppa", "hppa", SMALL).only(Versions.OLD),
                of("loongarch64", "virt", SMALL).only(Versions.NEW),
                of("loongarch64", "virt", "-m 1088M").only(Versions.OLD),
                of("m68k", "virt", SMALL),
                of("microblaze", "petalogix-s3adsp1800"),
                of("microblazeel", "petalogix-ml605"),
                of("mips", "malta", SMALL),
                of("mipsel", "malta", SMALL),
                of("mips64", "magnum", SMALL),
                of("mips64el", "malta", SMALL),
                of("or1k", "or1k-sim", SMALL),
                of("or1k", "virt", SMALL),
                of("ppc", "g3beige", SMALL),
                of("ppc", "ppce500", "-m 64M"),
                of("ppc", "bamboo", SMALL),
                of("ppc64", "mac99", SMALL),
                of("riscv32", "virt", SMALL, "-bios none"),
                of("riscv64", "sifive_u", SMALL),
                of("riscv32", "opentitan"),
                of("rx", "gdbsim-r5f562n7").only(Versions.NEW),
                of("rx", "gdbsim-r5f562n7", "-bios FILE").only(Versions.OLD),
                of("sh4", "r2d"),
                of("sh4eb", "r2d"),
                of("sparc", "SS-5", SMALL),
                of("tricore", "tricore_testboard", SMALL),
                of("xtensa", "sim", SMALL),
                of("xtensaeb", "sim", SMALL),
                of("cris", "axis-dev88", "-m 64M -kernel FILE").only(Versions.OLD),
                of("nios2", "10m50-ghrd", SMALL).only(Versions.OLD),
                of("aarch64", "raspi3ap"),
                of("aarch64", "sbsa-ref", "-m 64M"),
                of("x86_64", "pc", "-m 3584M").named("pc of 3.5 GiB, split at 3 GiB"));
    }

    private static final String RICH =
            "-device VGA -device qemu-xhci -device usb-tablet -device usb-kbd"
                    + " -netdev user,id=n,restrict=on -device virtio-net-pci,netdev=n,romfile="
                    + " -blockdev null-co,node-name=d,size=1048576,read-zeroes=on"
                    + " -device virtio-blk-pci,drive=d"
                    + " -blockdev null-co,node-name=e,size=1048576,read-zeroes=on"
                    + " -device ide-hd,drive=e,bus=ide.0"
                    + " -device virtio-rng-pci -device virtio-balloon-pci"
                    + " -device virtio-serial-pci -device e1000e,romfile= -device intel-hda";
    private static final String DIMM =
            "-object memory-backend-file,id=dimm0,size=16M,share=on,mem-path=FILE"
                    + " -device pc-dimm,id=d0,memdev=dimm0";
    private static final String VIRTIO_MEM =
            "-object memory-backend-ram,id=vm0,size=128M"
                    + " -device virtio-mem-pci,id=v0,memdev=vm0,requested-size=64M";
}
