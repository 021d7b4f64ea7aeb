package org.vmferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vmferry.engine.Engine;
import org.vmferry.spi.ram.RamBlock;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** The page of inspect --html, as a Chromium shows it. */
class PageInBrowserTest extends AtTerminal {
    private static final int TAB = 9;
    private static final int ENTER = 13;
    private static final int DOWN = 40;
    private static final int RIGHT = 39;
    private static final int END = 35;

    /** Shows the names as they are; runs, loads and closes nothing. */
    private static final String HOSTILE = "</script><img src=x onerror=alert(1)><script>alert(2)//";

    private static final String MARKUP = "<b onclick=alert(3)>&lt;{{script}}";

    @TempDir static Path folder;
    private static Browser browser;

    @BeforeAll
    static void start() throws Exception {
        boolean there = Browser.isThere();
        if (!there && Boolean.parseBoolean(System.getenv("CI")))
            throw new AssertionError("there is no chromium: .ci/install-browser");
        assumeTrue(there, "there is no chromium: .ci/install-browser");
        browser = new Browser(Files.createDirectory(folder.resolve("browser")));
    }

    @AfterAll
    static void end() throws Exception {
        if (browser != null) browser.close();
    }

    /** A page of a guest with text in its page 2, random bytes in page 9. */
    private Path page() throws Exception {
        byte[] second = new byte[3 * SmallMachine.PAGE];
        var machine =
                new SmallMachine(
                        RamBlock.of(MARKUP, MemorySegment.ofArray(second), SmallMachine.PAGE),
                        HOSTILE);
        byte[] text = "All work and no play. ".repeat(190).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, machine.ram, 2 * SmallMachine.PAGE, SmallMachine.PAGE);
        byte[] random = new byte[SmallMachine.PAGE];
        new Random(1).nextBytes(random);
        System.arraycopy(random, 0, machine.ram, 9 * SmallMachine.PAGE, SmallMachine.PAGE);
        Path snapshot = folder.resolve("<i>vm.snap");
        Engine.create().send(machine, "file:" + snapshot, Format.MAPPED_RAM.settings()).await();
        Path page = folder.resolve("vm.html");
        assertThat(run("inspect", snapshot, "--html", page)).as(err.toString()).isZero();
        return page;
    }

    private static long count(String selector) throws Exception {
        return (Long) browser.ask("document.querySelectorAll('" + selector + "').length");
    }

    @Test
    void aPageIsLookedThroughByKeyboardAndMouse() throws Exception {
        browser.look(1200, false);
        browser.open(page());
        assertThat(browser.text("title")).endsWith("<i>vm.snap");
        assertThat(count("[role=grid]")).isEqualTo(2);
        assertThat(count("[role=gridcell]")).isEqualTo(64 + 3);
        assertThat(count("#block0-2.k2, #block0-9.k5, #block0-3.k1, #block0-8.k0")).isEqualTo(4);
        assertThat(browser.text("legend"))
                .contains("text-like: 4 KiB, 1.5 %")
                .contains("random: 4 KiB")
                .contains("zero: 136 KiB");
        assertThat(browser.ask("document.getElementById('block0-2').textContent")).isEqualTo("T");

        // By keyboard: the first map is what Tab reaches first.
        browser.press("Tab", TAB);
        browser.press("ArrowRight", RIGHT);
        browser.press("ArrowRight", RIGHT);
        assertThat(browser.text("told")).as("before Enter").contains("No cell");
        browser.press("Enter", ENTER);
        assertThat(browser.text("told"))
                .contains("small.ram, 0x2000 to 0x2fff: 1 page: 1 text-like")
                .contains("The page is at byte 0x2000 of small.ram, byte 1056768 of the file")
                .contains("0000  41 6c 6c 20 77 6f 72 6b", "All work and no ");
        browser.press("ArrowDown", DOWN); // there is one row: nowhere to go
        browser.press("End", END);
        browser.press("Enter", ENTER);
        assertThat(browser.text("told")).contains("0x3f000 to 0x3ffff: 1 page: 1 zero");

        browser.click("#block0-9");
        assertThat(browser.text("told")).contains("0x9000 to 0x9fff: 1 page: 1 random");

        // Devices: nothing is open, then what is found.
        assertThat(browser.text("found")).isEqualTo("3 devices");
        assertThat(count("#devices details[open]")).isZero();
        browser.ask("document.getElementById('search').focus()");
        browser.type("00 00 00 01");
        assertThat(browser.text("found")).isEqualTo("1 field, 1 device");
        assertThat(browser.text("devices")).contains("instance 1");
        browser.ask("document.getElementById('search').select()");
        browser.type("no such thing");
        assertThat(browser.text("found")).isEqualTo("0 fields, 0 devices");

        assertThat(browser.complaints()).isEmpty();
        assertThat(browser.requests())
                .allMatch(url -> url.startsWith("file:") && url.endsWith("/vm.html"));
    }

    @Test
    void whatASnapshotSaysIsTextAlone() throws Exception {
        browser.look(1200, false);
        browser.open(page());
        assertThat(browser.text("blocks")).contains(MARKUP);
        assertThat(browser.text("devices")).contains(HOSTILE);
        assertThat(count("#devices img, #devices script, #blocks b[onclick], #title i")).isZero();
        assertThat(count("script")).isEqualTo(2);
        assertThat(browser.complaints()).isEmpty();
    }

    /** Were a name to become markup all the same, the policy lets it do nothing. */
    @Test
    void nothingElseMayRunOrBeLoaded() throws Exception {
        browser.open(page());
        browser.ask(
                "document.body.insertAdjacentHTML('beforeend',"
                        + " '<img src=\"http://127.0.0.1:9/x\" onerror=\"document.title=1\">')");
        browser.ask(
                "document.body.append(Object.assign(document.createElement('script'),"
                        + " {textContent: 'document.title = 2'}))");
        browser.ask("new Promise(done => setTimeout(done, 200))");
        assertThat(browser.ask("document.title")).asString().endsWith(" - vmferry");
        assertThat(browser.complaints())
                .isNotEmpty()
                .allMatch(said -> said.contains("Content Security Policy"));
    }

    @Test
    void itFitsAPhoneAndIsReadableInTheDark() throws Exception {
        Path page = page();
        browser.look(1200, false);
        browser.open(page);
        String light = background();
        browser.look(380, true);
        browser.open(page);
        assertThat(background()).isNotEqualTo(light);
        assertThat((Long) browser.ask("document.documentElement.scrollWidth"))
                .as("nothing is cut off")
                .isLessThanOrEqualTo(380);
        for (boolean dark : new boolean[] {false, true}) {
            browser.look(1200, dark);
            for (int kind = 0; kind <= 6; kind++)
                assertThat(contrast("#legend .k" + kind)).as("kind %d", kind).isGreaterThan(3);
            assertThat(contrast("#title")).isGreaterThan(7);
        }
    }

    private static String background() throws Exception {
        return (String) browser.ask("getComputedStyle(document.body).backgroundColor");
    }

    /** As WCAG 2 reckons it, between an element's letters and what is behind them. */
    private static double contrast(String selector) throws Exception {
        Object said =
                browser.ask(
                        "(() => {"
                                + " const style = getComputedStyle(document.querySelector('"
                                + selector
                                + "')); const back = style.backgroundColor.includes('rgba(0, 0, 0,"
                                + " 0)') ? getComputedStyle(document.body).backgroundColor :"
                                + " style.backgroundColor; const light = colour => { const [r, g,"
                                + " b] = colour.match(/\\d+/g).map(c => c / 255) .map(c => c <="
                                + " 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); return"
                                + " 0.2126 * r + 0.7152 * g + 0.0722 * b; }; const [a, b] ="
                                + " [light(style.color), light(back)].sort((x, y) => y - x); return"
                                + " '' + (a + 0.05) / (b + 0.05); })()");
        return Double.parseDouble((String) said);
    }
}
