package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Every study runs from end to end at smoke scale, on this project's own source code as text. */
class StudiesTest {
  private static final Pattern POINTS_ELSEWHERE =
      Pattern.compile("^(It|Its|So|And|Also|They|Their|This|These|That|But) ");
  private static final Pattern FIGURE = Pattern.compile("[0-9∞]|none");

  @TempDir private Path folder;

  @TestFactory
  List<DynamicTest> studiesRunAtSmokeScale() {
    return Studies.all().values().stream()
        .map(study -> DynamicTest.dynamicTest(study.slug(), () -> runs(study)))
        .toList();
  }

  private void runs(Study study) throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    Path place = folder.resolve(study.slug());
    try (TokenFile text =
        TokenFile.prepare(place.resolve("text"), corpus, new ByteTokenizer(), 0.2, bytes -> {})) {
      Path notes = place.resolve("notes");
      Evidence first = run(study, text, notes, Watcher.NONE);
      assertFalse(first.claims().isEmpty(), "a study judges claims");
      assertFalse(first.tables().isEmpty(), "a study shows what it measured");
      first.claims().forEach(StudiesTest::standsAlone);
      Set<String> measuredAgain = new TreeSet<>();
      Evidence second =
          run(
              study,
              text,
              notes,
              new Watcher() {
                @Override
                public void begin(String measurement) {
                  measuredAgain.add(measurement);
                }
              });
      assertTrue(measuredAgain.isEmpty(), "measured again after an interruption: " + measuredAgain);
      assertEquals(first.claims(), second.claims(), "claims of a resumed study");
      assertEquals(first.tables(), second.tables(), "tables of a resumed study");
    }
  }

  /** Claims are listed without their study: each says what is compared, and has figures. */
  private static void standsAlone(Claim claim) {
    String sentence = claim.sentence();
    // A name such as iTransformer or σReparam keeps its small first letter.
    assertTrue(sentence.matches("\\p{Ll}?\\p{Lu}.*"), "begins with a capital: " + sentence);
    assertTrue(sentence.split(" ", -1).length >= 4, "says what is compared: " + sentence);
    assertFalse(POINTS_ELSEWHERE.matcher(sentence).find(), "names its subject: " + sentence);
    assertTrue(FIGURE.matcher(claim.check().text()).find(), "has figures: " + claim.check().text());
    assertFalse(claim.check().verdict() == Verdict.NOT_JUDGED, sentence);
  }

  private static Evidence run(Study study, TokenFile text, Path notes, Watcher watcher) {
    ExperimentContext lab =
        new ExperimentContext(Scale.SMOKE, text, new Notebook(notes, "smoke", "test"), watcher);
    return Studies.run(study, lab, "jformer reproduce " + study.slug() + " --scale smoke");
  }
}
