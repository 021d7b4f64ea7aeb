/** The vmferry command. */
module org.vmferry.cli {
    requires org.vmferry.engine;
    requires org.vmferry.testkit.machine; // the demo's guest
    requires org.vmferry.zstd; // as files are packed with it
    requires org.apache.commons.compress;
    requires org.tukaani.xz;
    requires info.picocli;
    requires java.management; // how much heap a bench uses

    opens org.vmferry.cli to
            info.picocli;
}
