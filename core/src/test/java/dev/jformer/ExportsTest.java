package dev.jformer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaType;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the module exports: all of it can be used by those who see exported packages only. */
class ExportsTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(location -> !location.contains("javadoc-index"))
          .withImportOption(location -> !location.contains("kernels"))
          .importPackages("dev.jformer");

  private final Set<String> exported = exported();

  @Test
  void everyPackageIsExportedOrInternal() {
    Set<String> packages =
        CLASSES.stream()
            .map(JavaClass::getPackageName)
            .collect(Collectors.toCollection(TreeSet::new));
    packages.removeIf(name -> name.endsWith(".internal") || name.equals("dev.jformer.javadoc"));
    assertEquals(packages, exported, "what module-info.java exports");
  }

  @Test
  void exportedMembersMentionNoInternalTypes() {
    Set<String> leaks = new TreeSet<>();
    int[] seen = new int[1];
    for (JavaClass c : CLASSES) {
      if (isVisible(c)) {
        c.getMembers().stream()
            .filter(ExportsTest::isOpen)
            .forEach(
                member -> {
                  seen[0]++;
                  mentioned(member)
                      .filter(type -> !isUsable(type))
                      .forEach(
                          type -> leaks.add(member.getFullName() + " mentions " + type.getName()));
                });
      }
    }
    assertTrue(seen[0] > 1000, seen[0] + " members seen");
    assertEquals(Set.of(), leaks);
  }

  @Test
  void internalTypesAreSeenAsSuch() {
    JavaClass internal =
        CLASSES.stream()
            .filter(
                c ->
                    c.getPackageName().endsWith(".internal")
                        && c.getModifiers().contains(JavaModifier.PUBLIC))
            .findFirst()
            .orElseThrow();
    assertTrue(!isUsable(internal), internal.getName());
  }

  private static Stream<JavaClass> mentioned(JavaMember member) {
    Stream<JavaType> types =
        member instanceof JavaCodeUnit method
            ? Stream.of(
                    Stream.of(method.getReturnType()),
                    method.getParameterTypes().stream(),
                    method.getThrowsClause().getTypes().stream())
                .flatMap(s -> s)
            : Stream.of(((JavaField) member).getType());
    return types.flatMap(type -> type.getAllInvolvedRawTypes().stream());
  }

  /** Whether users can name the class, as far as it is one of ours. */
  private boolean isUsable(JavaClass type) {
    JavaClass element = type.getBaseComponentType();
    return !element.getPackageName().startsWith("dev.jformer") || isVisible(element);
  }

  private boolean isVisible(JavaClass c) {
    return exported.contains(c.getPackageName())
        && isOpen(c.getModifiers())
        && c.getEnclosingClass().map(this::isVisible).orElse(true);
  }

  private static boolean isOpen(JavaMember member) {
    Set<JavaModifier> modifiers = member.getModifiers();
    return isOpen(modifiers)
        && !modifiers.contains(JavaModifier.SYNTHETIC)
        && !(modifiers.contains(JavaModifier.PROTECTED)
            && member.getOwner().getModifiers().contains(JavaModifier.FINAL));
  }

  private static boolean isOpen(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }

  /** The packages that module-info.java exports to all. */
  private static Set<String> exported() {
    try {
      String text = Files.readString(Path.of("src/main/java/module-info.java"));
      Matcher matcher = Pattern.compile("\\bexports\\s+([\\w.]+)\\s*;").matcher(text);
      return matcher.results().map(m -> m.group(1)).collect(Collectors.toCollection(TreeSet::new));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
