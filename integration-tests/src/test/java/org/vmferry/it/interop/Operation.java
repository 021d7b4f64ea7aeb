package org.vmferry.it.interop;

/** What is tried with a machine: a column of the page. */
enum Operation {
    INSPECT("inspect"),
    VERIFY("verify"),
    EXTRACT("extract"),
    TO_MAPPED_RAM("convert to mapped-ram"),
    TO_STREAM("convert to a stream"),
    RECEIVE("receive"),
    SEND("send"),
    RECEIVE_MULTIFD("receive, multifd"),
    SEND_MULTIFD("send, multifd");

    final String title;

    Operation(String title) {
        this.title = title;
    }
}
