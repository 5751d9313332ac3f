package dev.jformer.studies.catalogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.studies.Studies;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  private static final Path ROOT = Path.of("..");

  @Test
  void holdsAllPapersUnderDistinctUsableNames() {
    var slugs = Catalogue.papers().stream().map(Paper::slug).collect(Collectors.toSet());
    assertEquals(63, slugs.size());
    assertEquals(63, Catalogue.papers().size());
    assertTrue(slugs.stream().allMatch(slug -> slug.matches("[a-z0-9]+(-[a-z0-9]+)*")), "" + slugs);
    assertTrue(Catalogue.papers().stream().noneMatch(paper -> paper.title().isBlank()));
  }

  /** An implemented paper has classes, their tests, a study and results; a planned one has none. */
  @Test
  void implementedPapersAreComplete() throws Exception {
    List<String> wrong = new ArrayList<>();
    for (Paper paper : Catalogue.papers()) {
      boolean implemented = paper.status() == Paper.Status.IMPLEMENTED;
      boolean begun = paper.status() != Paper.Status.PLANNED;
      expect(wrong, paper, "classes", begun, !paper.classes().isEmpty());
      expect(wrong, paper, "a study", begun, Studies.all().containsKey(paper.slug()));
      Path results = ROOT.resolve("docs/results").resolve(paper.slug() + ".md");
      expect(wrong, paper, results.toString(), implemented, Files.exists(results));
      for (String name : paper.classes()) {
        Class.forName(name);
        String file = name.replace('.', '/');
        Path test = ROOT.resolve("core/src/test/java").resolve(file + "Test.java");
        expect(wrong, paper, test.toString(), true, Files.exists(test));
        Path source = ROOT.resolve("core/src/main/java").resolve(file + ".java");
        boolean cited = Files.exists(source) && Files.readString(source).contains(paper.arxiv());
        expect(wrong, paper, "its arXiv number in the Javadoc of " + name, true, cited);
      }
    }
    assertEquals(List.of(), wrong);
  }

  /** A study's slug follows from the name of its class, which may not fit the paper's. */
  @Test
  void studiesAreOfPapers() {
    Studies.all().values().forEach(study -> Catalogue.paper(study.slug()));
    assertTrue(Studies.all().keySet().containsAll(List.of("llm-int8", "zero-tprune", "kat")));
  }

  private static void expect(
      List<String> wrong, Paper paper, String what, boolean wanted, boolean there) {
    if (wanted != there) {
      wrong.add(
          paper.slug() + " is " + paper.status() + " and " + (there ? "has " : "lacks ") + what);
    }
  }

  @Test
  void namesTheNearestPaper() {
    var error = assertThrows(IllegalArgumentException.class, () -> Catalogue.paper("flow-former"));
    assertTrue(error.getMessage().contains("'flowformer'"), error.getMessage());
  }
}
