package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.run.Recipe;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.pages.PaperSheet;
import dev.jformer.studies.pages.SwitchOn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PapersTest {
  private static List<Paper> implemented() {
    return Catalogue.papers().stream()
        .filter(paper -> paper.status() == Paper.Status.IMPLEMENTED)
        .toList();
  }

  @Test
  void listsAllPapersInALineEach() {
    String list = Outcome.of("papers").out();
    for (Paper paper : Catalogue.papers()) {
      String line = String.format("  %-28s %s", paper.slug(), paper.title());
      assertTrue(list.lines().anyMatch(line::equals), paper.slug());
    }
    assertTrue(list.contains("token-mixers\n"), list);
    for (Paper paper : Catalogue.papers()) {
      String heading = paper.family() + " (planned)\n";
      assertTrue(paper.status() != Paper.Status.PLANNED || list.contains(heading), list);
    }
  }

  @Test
  void describesEachImplementedPaper() {
    for (Paper paper : implemented()) {
      Outcome outcome = Outcome.of("papers", paper.slug());
      assertEquals(0, outcome.code(), outcome.err());
      String text = outcome.out();
      assertTrue(text.startsWith(paper.title() + "\n  " + paper.link() + "\n"), text);
      paper.classes().forEach(name -> assertTrue(text.contains("\n  " + name + "\n"), text));
      assertTrue(text.contains("\nTry it\n  jformer "), text);
      assertTrue(text.contains("\n  docs/techniques/" + paper.slug() + ".md\n"), text);
    }
  }

  @Test
  void printsJsonOfTheSameRecord() throws Exception {
    JsonNode sheet = new JsonMapper().readTree(Outcome.of("papers", "kat", "--json").out());
    assertEquals("https://arxiv.org/abs/2409.10594", sheet.path("link").asText());
    assertEquals("gr-kan", sheet.at("/switchOn/0/recipe/model/ffn/type").asText());
    assertTrue(sheet.path("verdicts").size() >= 5);
    JsonNode list = new JsonMapper().readTree(Outcome.of("papers", "--json").out());
    assertEquals(Catalogue.papers().size(), list.size());
  }

  @Test
  void namesTheNearestPaper() {
    Outcome outcome = Outcome.of("papers", "mat-former");
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("did you mean 'matformer'"), outcome.err());
  }

  @Test
  void aPlannedPaperHasATitle() {
    Catalogue.papers().stream()
        .filter(paper -> paper.status() == Paper.Status.PLANNED)
        .forEach(
            paper -> {
              Outcome outcome = Outcome.of("papers", paper.slug());
              assertEquals(0, outcome.code());
              assertTrue(outcome.out().contains(paper.title()), outcome.out());
              assertTrue(outcome.out().contains(", planned"), outcome.out());
            });
  }

  /** The options that the sheets print are understood, and change the recipe. */
  @Test
  void theOptionsThatSwitchATechniqueOnWork() {
    for (Paper paper : implemented()) {
      for (SwitchOn variant : PaperSheet.of(paper).switchOn()) {
        String base =
            switch (variant.variant()) {
              case "informer", "itransformer", "prob-sparse" -> "forecast";
              case "metaformer" -> "poolformer";
              case "linformer" -> "mlm";
              default -> "shakespeare";
            };
        Map<String, String> settings = new LinkedHashMap<>();
        for (String option : variant.options()) {
          String setting = option.substring("--set ".length()).replaceAll("^'|'$", "");
          int equals = setting.indexOf('=');
          settings.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        Recipe recipe = Recipes.load(base, settings);
        if (!List.of("itransformer", "metaformer").contains(variant.variant())) {
          assertNotEquals(Recipes.load(base, Map.of()), recipe, variant.toString());
        }
      }
    }
  }

  @Test
  void writesAPageForEachTechnique(@TempDir Path folder) throws Exception {
    Outcome outcome = Outcome.of("papers", "--pages", folder.toString());
    assertEquals(0, outcome.code(), outcome.err());
    for (Paper paper : implemented()) {
      String page = Files.readString(folder.resolve(paper.slug() + ".md"));
      assertTrue(page.startsWith("# " + paper.title() + "\n"), page);
    }
    assertTrue(Files.exists(folder.resolve("README.md")));
  }
}
