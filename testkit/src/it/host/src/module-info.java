/** An emulator of somebody else's, on the module path. */
module example.host {
    requires org.vmferry.engine;
}
