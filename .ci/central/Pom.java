import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.xml.sax.SAXException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

/**
 * A pom as somebody finds it in a repository, with what its parents there hand down. Nothing of the
 * build that wrote it is known here: no profile, no -D.
 */
final class Pom {
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*)}");
    private static final int DEEPEST = 20;

    private final Element root;
    private final Pom parent;

    private Pom(Element root, Pom parent) {
        this.root = root;
        this.parent = parent;
    }

    static Pom read(Path repository, Path file) throws IOException {
        return read(repository, file, 0);
    }

    private static Pom read(Path repository, Path file, int depth) throws IOException {
        if (depth > DEEPEST) throw new IOException(file + " has no end of parents");
        Element root = xml(file);
        Element parent = child(root, "parent");
        if (parent == null) return new Pom(root, null);
        Path above =
                new Coordinates(
                                text(parent, "groupId"),
                                text(parent, "artifactId"),
                                text(parent, "version"),
                                ".pom")
                        .in(repository);
        if (!Files.exists(above)) throw new IOException("the parent of " + file + " is not there");
        return new Pom(root, read(repository, above, depth + 1));
    }

    static Element xml(Path file) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
            return factory.newDocumentBuilder().parse(file.toFile()).getDocumentElement();
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    String group() {
        return value("groupId");
    }

    String artifact() {
        return value("artifactId");
    }

    String version() {
        return value("version");
    }

    String packaging() {
        Element own = element("packaging");
        return own == null ? "jar" : own.getTextContent().strip();
    }

    /** What it is in the end, by its path: "scm/url". Null if nobody has it. */
    String value(String path) {
        String raw = raw(path);
        return raw == null ? null : resolved(raw, 0);
    }

    /** Whether Maven puts this artifact's name behind an address that a parent hands down. */
    boolean appends(String path) {
        if (parent == null || element(path) != null) return false;
        if (parent.appends(path)) return true;
        int slash = path.lastIndexOf('/');
        Element holder = slash < 0 ? parent.root : parent.element(path.substring(0, slash));
        if (holder == null || parent.element(path) == null) return false;
        String attribute =
                "child."
                        + (slash < 0 ? "project." : "")
                        + path.replace('/', '.')
                        + ".inherit.append.path";
        return !holder.getAttribute(attribute).equals("false");
    }

    /** What it gives versions to, or has others give. */
    List<Coordinates> managed() {
        Element list = element("dependencyManagement/dependencies");
        if (list == null) return List.of();
        return children(list).stream()
                .map(
                        each -> {
                            String type = text(each, "type");
                            return new Coordinates(
                                    resolved(text(each, "groupId"), 0),
                                    resolved(text(each, "artifactId"), 0),
                                    resolved(text(each, "version"), 0),
                                    "." + (type == null ? "jar" : type));
                        })
                .toList();
    }

    private String raw(String path) {
        Element own = element(path);
        if (own != null && !own.getTextContent().isBlank()) return own.getTextContent().strip();
        // A name is nobody's heir, and a pom that says nothing of itself is no better for its
        // parent.
        boolean handedDown = !List.of("artifactId", "name", "description").contains(path);
        return parent == null || !handedDown ? null : parent.raw(path);
    }

    private String resolved(String text, int depth) {
        Matcher reference = REFERENCE.matcher(text);
        if (depth > DEEPEST || !reference.find()) return text;
        String name = reference.group(1);
        String value =
                name.startsWith("project.")
                        ? raw(name.substring("project.".length()).replace('.', '/'))
                        : raw("properties/" + name);
        if (value == null) return text;
        String next = text.substring(0, reference.start()) + value;
        return resolved(next + text.substring(reference.end()), depth + 1);
    }

    private Element element(String path) {
        Element found = root;
        for (String name : path.split("/")) {
            found = child(found, name);
            if (found == null) return null;
        }
        return found;
    }

    static Element child(Element of, String name) {
        for (Element each : children(of)) if (each.getNodeName().equals(name)) return each;
        return null;
    }

    static List<Element> children(Element of) {
        List<Element> all = new ArrayList<>();
        for (Node node = of.getFirstChild(); node != null; node = node.getNextSibling())
            if (node instanceof Element element) all.add(element);
        return all;
    }

    static String text(Element of, String name) {
        Element child = child(of, name);
        return child == null ? null : child.getTextContent().strip();
    }
}
