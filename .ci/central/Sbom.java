import org.w3c.dom.Element;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Whether a CycloneDX list says of an artifact what it brings along, and nothing else. */
final class Sbom {
    private Sbom() {}

    /**
     * @param needs the SHA-256 by "group:artifact:version"
     */
    static List<String> problems(Path file, Map<String, String> needs) throws IOException {
        Element bom = Pom.xml(file);
        List<String> problems = new ArrayList<>();
        if (bom.hasAttribute("serialNumber")) problems.add("has an SBOM with a number of its own");
        Map<String, String> listed = new TreeMap<>();
        for (Element each : needed(bom)) {
            String name =
                    Pom.text(each, "group")
                            + ":"
                            + Pom.text(each, "name")
                            + ":"
                            + Pom.text(each, "version");
            listed.put(name, sha256(each));
        }
        Set<String> all = new TreeSet<>(listed.keySet());
        all.addAll(needs.keySet());
        for (String name : all) {
            if (!listed.containsKey(name)) problems.add("has an SBOM without " + name);
            else if (!needs.containsKey(name))
                problems.add("has an SBOM with " + name + ", which it doesn't need");
            else if (listed.get(name).isEmpty())
                problems.add("has an SBOM without a SHA-256 of " + name);
            else if (!listed.get(name).equals(needs.get(name)))
                problems.add("has an SBOM with a wrong SHA-256 of " + name);
        }
        return problems;
    }

    /** Not what comes by way of something that a host may leave out. */
    private static List<Element> needed(Element bom) {
        Map<String, Element> components = new TreeMap<>();
        for (Element each : below(bom, "components")) components.put(ref(each), each);
        Map<String, List<Element>> edges = new TreeMap<>();
        for (Element each : below(bom, "dependencies"))
            edges.put(each.getAttribute("ref"), Pom.children(each));
        Set<String> seen = new HashSet<>();
        List<Element> found = new ArrayList<>();
        Deque<String> open = new ArrayDeque<>();
        open.add(ref(Pom.child(Pom.child(bom, "metadata"), "component")));
        while (!open.isEmpty()) {
            for (Element edge : edges.getOrDefault(open.remove(), List.of())) {
                Element to = components.get(edge.getAttribute("ref"));
                if (to == null || "optional".equals(Pom.text(to, "scope"))) continue;
                if (!seen.add(ref(to))) continue;
                found.add(to);
                open.add(ref(to));
            }
        }
        return found;
    }

    private static String ref(Element component) {
        return component.getAttribute("bom-ref");
    }

    private static List<Element> below(Element bom, String name) {
        Element list = Pom.child(bom, name);
        return list == null ? List.of() : Pom.children(list);
    }

    private static String sha256(Element component) {
        Element hashes = Pom.child(component, "hashes");
        for (Element each : hashes == null ? List.<Element>of() : Pom.children(hashes))
            if (each.getAttribute("alg").equals("SHA-256")) return each.getTextContent().strip();
        return "";
    }
}
