package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code compare} and {@code reproduce} as a user gives them. */
class StudyCommandsTest {
  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
  }

  private Outcome compare(String... more) {
    List<String> args = new ArrayList<>(List.of("compare", "--base", "shakespeare"));
    args.addAll(List.of("--data", text.toString(), "--out", folder.resolve("out").toString()));
    for (String field :
        List.of("layers=1", "width=32", "length=32", "mixer.heads=2", "dropout=0")) {
      args.addAll(List.of("--set", "model." + field));
    }
    args.addAll(List.of("--set", "training.batch=4", "--set", "training.schedule.warmup=2"));
    args.addAll(List.of(more));
    return Outcome.of(args.toArray(String[]::new));
  }

  @Test
  void comparesAndReports() throws IOException {
    String[] wanted = {"--with", "alibi,rope+gated-mlp", "--budget", "5steps", "--json"};
    Outcome first = compare(wanted);
    assertEquals(0, first.code(), first.err());
    assertTrue(Pattern.compile("3 trainings: about .* in all").matcher(first.err()).find());
    JsonNode evidence = new JsonMapper().readTree(first.out());
    List<String> names = new ArrayList<>();
    for (JsonNode row : evidence.path("tables").path(0).path("rows")) {
      names.add(row.path(0).asText().replace(" *", ""));
      assertEquals("5", row.path(3).asText(), "steps");
    }
    assertEquals(List.of("base", "alibi", "rope+gated-mlp"), names);
    assertTrue(evidence.path("summary").asText().startsWith("For quality, take "));
    for (String file : List.of("compare.html", "compare.md", "compare-1.svg", "compare.json")) {
      assertTrue(Files.size(folder.resolve("out").resolve(file)) > 0, file);
    }
    Outcome again = compare(wanted);
    assertTrue(again.err().contains("measured before"), again.err());
    assertEquals(evidence.path("tables"), new JsonMapper().readTree(again.out()).path("tables"));
    Outcome fresh = compare("--with", "alibi", "--budget", "5steps", "--fresh", "--quiet");
    assertEquals(0, fresh.code(), fresh.err());
    assertEquals("", fresh.err());
  }

  @ParameterizedTest
  @CsvSource({
    "alibbi, 5steps, did you mean 'alibi'",
    "none, 5steps, position=none",
    "alibi, 0m, more than 0",
    "alibi, soon, for example 500steps",
    "alibi, 3flops, is not enough for one step",
  })
  void saysWhatIsWrongInOneLine(String technique, String budget, String message) {
    Outcome outcome = compare("--with", technique, "--budget", budget, "--quiet");
    assertEquals(1, outcome.code(), outcome.toString());
    assertTrue(outcome.err().contains(message), outcome.err());
    assertEquals(1, outcome.err().strip().lines().count(), outcome.err());
    assertFalse(outcome.err().contains("unexpected"), outcome.err());
  }

  @Test
  void reproduceKnowsItsPapers() {
    List<String[]> wrong = new ArrayList<>();
    wrong.add(new String[] {"reproduce", "flow-former", "did you mean 'flowformer'"});
    String names = "name one or more papers, or give --all";
    wrong.add(new String[] {"reproduce", "--all", "extractors", names});
    wrong.add(new String[] {"reproduce", names});
    Catalogue.papers().stream()
        .filter(paper -> paper.status() == Paper.Status.PLANNED)
        .forEach(paper -> wrong.add(new String[] {"reproduce", paper.slug(), "planned"}));
    for (String[] line : wrong) {
      String message = line[line.length - 1];
      Outcome outcome = Outcome.of(java.util.Arrays.copyOf(line, line.length - 1));
      assertEquals(1, outcome.code(), outcome.toString());
      assertTrue(outcome.err().contains(message), outcome.err());
    }
  }
}
