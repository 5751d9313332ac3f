package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code jformer word-vectors}. */
class WordVectorsTest {
  @TempDir private Path folder;
  private Path text;

  @BeforeEach
  void write() throws IOException {
    String lines = "the cat sat on the mat\nthe dog sat on the rug\n";
    text = Files.writeString(folder.resolve("text.txt"), lines.repeat(30));
  }

  private Outcome learn(String... more) {
    String[] start = {"word-vectors", "--data", text.toString(), "--dimension", "4", "--quiet"};
    return Outcome.of(Stream.concat(Stream.of(start), Stream.of(more)).toArray(String[]::new));
  }

  @Test
  void writesVectorsAndPrintsNeighbours() throws IOException {
    Path out = folder.resolve("words.txt");
    Outcome outcome = learn("--out", out.toString(), "--nearest", "Cat", "--tune", "3");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().startsWith("Cat: "), outcome.out());
    assertEquals("7 4", Files.readAllLines(out).get(0));
    assertEquals(8, Files.readAllLines(out).size());
  }

  /** What would fail in the end is refused before anything is learned. */
  @Test
  void refusesEarly() {
    Path missing = folder.resolve("no/words.txt");
    String[][] wrong = {
      {"nothing is asked for"},
      {"there is no folder", "--out", missing.toString()},
      {"which is read from", "--out", text.toString()},
      {"'lake' is none of the 7 words", "--nearest", "lake", "--out", folder + "/words.txt"},
      {"of 7 different words occur at least 1000 times", "--least", "1000", "--nearest", "cat"},
    };
    for (String[] each : wrong) {
      Outcome outcome = learn(Stream.of(each).skip(1).toArray(String[]::new));
      assertEquals(1, outcome.code(), outcome.toString());
      assertTrue(outcome.err().contains(each[0]), outcome.err());
      assertEquals(1, outcome.err().lines().count(), outcome.err());
    }
    assertFalse(Files.exists(folder.resolve("words.txt")));
  }
}
