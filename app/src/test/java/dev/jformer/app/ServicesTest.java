package dev.jformer.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Part;
import dev.jformer.studies.Study;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Parts are found on the module path as on the class path: a module-info.java says what
 * {@code @AutoService} says. Where it does not, the failure shows the text to put there.
 */
class ServicesTest {
  static Stream<Arguments> modules() {
    return Stream.of(Arguments.of("core", Part.class), Arguments.of("studies", Study.class));
  }

  @ParameterizedTest
  @MethodSource("modules")
  void modulesAndClassPathsProvideTheSameParts(String module, Class<?> member) throws Exception {
    assertEquals(
        clauses(annotated(member)),
        clauses(declared(module)),
        "the clauses 'provides' of " + module + "/src/main/java/module-info.java");
  }

  @ParameterizedTest
  @MethodSource("modules")
  void everyProvidedKindIsLookedFor(String module, Class<?> member) throws Exception {
    Set<String> used = new TreeSet<>();
    Pattern.compile("\\buses ([\\w.]+);")
        .matcher(text(module))
        .results()
        .forEach(match -> used.add(match.group(1)));
    assertEquals(
        uses(annotated(member).keySet()),
        uses(used),
        "the clauses 'uses' of " + module + "/src/main/java/module-info.java");
  }

  private static String text(String module) throws IOException {
    return Files.readString(Path.of("..", module, "src/main/java/module-info.java"));
  }

  private static NavigableMap<String, Set<String>> declared(String module) throws IOException {
    NavigableMap<String, Set<String>> services = new TreeMap<>();
    Pattern.compile("\\bprovides ([\\w.]+) with\\s+([^;]+);")
        .matcher(text(module))
        .results()
        .forEach(
            match ->
                services.put(
                    match.group(1), new TreeSet<>(Arrays.asList(match.group(2).split(",\\s*")))));
    return services;
  }

  /** What {@code @AutoService} stands on, by the name of the service. */
  private static NavigableMap<String, Set<String>> annotated(Class<?> member) throws Exception {
    NavigableMap<String, Set<String>> services = new TreeMap<>();
    Path place = Path.of(member.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(place)) {
      try (Stream<Path> files = Files.list(place.resolve("META-INF/services"))) {
        for (Path file : files.toList()) {
          services.put(named(file.getFileName().toString()), lines(Files.readString(file)));
        }
      }
    } else {
      try (ZipFile jar = new ZipFile(place.toFile())) {
        for (var entry : jar.stream().filter(e -> isService(e.getName())).toList()) {
          String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
          String text = new String(jar.getInputStream(entry).readAllBytes(), UTF_8);
          services.put(named(name), lines(text));
        }
      }
    }
    assertTrue(!services.isEmpty(), place + " provides nothing");
    return services;
  }

  private static boolean isService(String entry) {
    return entry.startsWith("META-INF/services/") && !entry.endsWith("/");
  }

  private static Set<String> lines(String text) {
    return text.lines().map(ServicesTest::named).collect(toCollection(TreeSet::new));
  }

  private static String clauses(Map<String, Set<String>> services) {
    return services.entrySet().stream()
        .map(
            service ->
                service.getValue().stream()
                    .collect(
                        joining(
                            ",\n      ",
                            "\n  provides " + service.getKey() + " with\n      ",
                            ";\n")))
        .collect(joining());
  }

  private static String uses(Set<String> services) {
    return services.stream().map(name -> "\n  uses " + name + ";").collect(joining());
  }

  private static String named(String binaryName) {
    return binaryName.strip().replace('$', '.');
  }
}
