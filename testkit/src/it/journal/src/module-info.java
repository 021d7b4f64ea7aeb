/** A notifier of somebody else's. */
module example.journal {
    requires org.vmferry.spi;

    provides org.vmferry.spi.notifier.MigrationNotifier with
            example.journal.Journal;
}
