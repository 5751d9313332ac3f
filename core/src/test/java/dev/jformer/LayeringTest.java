package dev.jformer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The house's order: a package imports only from those that stand before it. */
class LayeringTest {
  private static final String ROOT = "dev.jformer";

  /** All packages of this module and its kernels, bottom to top; some may not exist yet. */
  private static final List<String> ORDER =
      List.of(
          "kernels",
          "tensor",
          "javadoc",
          "config",
          "rasp",
          "program",
          "search",
          "construct",
          "io",
          "nn",
          "position",
          "mixer",
          "ffn",
          "model",
          "incontext",
          "data",
          "words",
          "metrics",
          "train",
          "compress",
          "adapt",
          "decode",
          "hub",
          "run",
          "nas",
          "check");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("javadoc-index"))
          .importPackages(ROOT);

  @Test
  void onlyTheTensorPackageKnowsTheBinding() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + ".tensor..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .check(CLASSES);
    assertTrue(
        CLASSES.stream()
            .flatMap(c -> c.getDirectDependenciesFromSelf().stream())
            .anyMatch(d -> d.getTargetClass().getPackageName().startsWith("org.bytedeco")),
        "the rule sees the binding where it is used");
  }

  @Test
  void packagesImportOnlyWhatStandsBeforeThem() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass from : CLASSES) {
      from.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass().getBaseComponentType())
          .filter(to -> to.getPackageName().startsWith(ROOT))
          .filter(to -> level(to) > level(from))
          .forEach(to -> wrong.add(from.getName() + " uses " + to.getName()));
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  void everyPackageHasItsPlace() {
    Set<String> packages =
        CLASSES.stream().map(LayeringTest::layer).collect(Collectors.toCollection(TreeSet::new));
    assertTrue(packages.containsAll(Set.of("tensor", "config", "nn", "model")), "" + packages);
    packages.removeAll(ORDER);
    assertEquals(Set.of(), packages, "packages that the order does not know");
  }

  @Test
  void packagesFormNoCycles() {
    slices().matching(ROOT + ".(*)..").should().beFreeOfCycles().check(CLASSES);
    assertFalse(CLASSES.isEmpty());
  }

  private static int level(JavaClass c) {
    return ORDER.indexOf(layer(c));
  }

  /** The first part of a class's package under the root. */
  private static String layer(JavaClass c) {
    return c.getPackageName().substring(ROOT.length() + 1).split("\\.", 2)[0];
  }
}
