/** The vmferry command. */
module org.vmferry.cli {
    requires org.vmferry.engine;
    requires info.picocli;

    opens org.vmferry.cli to
            info.picocli;
}
