package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScoredPairsTest {
  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("pairs.tsv"), text);
  }

  @Test
  void readsLines() throws IOException {
    ScoredPairs pairs = ScoredPairs.read(file("4.25\tA cat.\tThe cat.\r\n\n0\t x\ty \n"));
    assertEquals(List.of(4.25, 0.0), pairs.scores());
    assertEquals(List.of("A cat.", "x"), pairs.first());
    assertEquals(List.of("The cat.", "y"), pairs.second());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    refused("1\ta\tb\n1\ta\n", "line 2 has 1 tabs");
    refused("1\ta\tb\tc\n", "line 1 has 3 tabs");
    refused("high\ta\tb\n", "line 1 has the score 'high'");
    refused("NaN\ta\tb\n", "line 1 has the score 'NaN'");
    refused("1\t \tb\n", "line 1 lacks a text");
    refused("1\ta\tb\n", "holds 1 pairs");
    Path file = folder.resolve("latin.tsv");
    Files.write(file, "1\té\tb\n".getBytes(StandardCharsets.ISO_8859_1));
    String found = assertThrows(DataException.class, () -> ScoredPairs.read(file)).getMessage();
    assertTrue(found.contains("UTF-8"), found);
    assertThrows(DataException.class, () -> ScoredPairs.read(folder.resolve("none")));
  }

  private void refused(String text, String message) throws IOException {
    Path file = file(text);
    String found = assertThrows(DataException.class, () -> ScoredPairs.read(file)).getMessage();
    assertTrue(found.contains(message), found);
  }
}
