/** The vmferry command. */
module org.vmferry.cli {
    requires org.vmferry.engine;
    requires org.vmferry.testkit; // the demo's guest
    requires info.picocli;

    opens org.vmferry.cli to
            info.picocli;
}
