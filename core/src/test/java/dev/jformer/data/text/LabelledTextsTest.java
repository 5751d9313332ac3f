package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class LabelledTextsTest {
  @TempDir Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("texts.tsv"), text);
  }

  private String error(String text) throws IOException {
    Path file = file(text);
    return assertThrows(DataException.class, () -> LabelledTexts.read(file, false)).getMessage();
  }

  @Test
  void readsTextsAndLabels() throws IOException {
    LabelledTexts texts =
        LabelledTexts.read(file("what\ta film\tgood\n\ndull\tbad\nfine \t good\n"), false);
    assertEquals(List.of("what\ta film", "dull", "fine"), texts.texts());
    assertEquals(List.of("bad", "good"), texts.classes());
    assertEquals(List.of(1, 0, 1), texts.labels());
    assertEquals(1, LabelledTexts.read(file("sentence\tlabel\nx\t1\n"), true).texts().size());
  }

  private LabelledTexts detect(String text, List<String> known, List<String> remarks)
      throws IOException {
    return LabelledTexts.read(file(text), false, known, remarks::add);
  }

  private static String rows(String pattern) {
    StringBuilder rows = new StringBuilder();
    for (int i = 0; i < 20; i++) {
      rows.append(pattern.formatted("film number " + i, i % 2 == 0 ? "good" : "bad")).append('\n');
    }
    return rows.toString();
  }

  @Test
  void findsHeaderLines() throws IOException {
    for (String header : List.of("text\tlabel", "Review text\tSentiment", "satz\tart")) {
      List<String> remarks = new ArrayList<>();
      LabelledTexts texts = detect(header + "\n" + rows("%s\t%s"), List.of(), remarks);
      assertEquals(List.of("bad", "good"), texts.classes());
      assertEquals(20, texts.texts().size());
      assertEquals(1, remarks.size());
      assertTrue(remarks.get(0).contains(header), remarks.toString());
    }
    List<String> remarks = new ArrayList<>();
    String rare = "a film\tmixed\n" + rows("%s\t%s");
    assertEquals(List.of("bad", "good", "mixed"), detect(rare, List.of(), remarks).classes());
    assertEquals(List.of(), remarks);
  }

  @Test
  void findsLabelsInTheFirstColumn() throws IOException {
    for (String header : List.of("", "label\ttext\n")) {
      List<String> remarks = new ArrayList<>();
      LabelledTexts texts = detect(header + rows("%2$s\t%1$s"), List.of(), remarks);
      assertEquals(List.of("bad", "good"), texts.classes());
      assertEquals("film number 0", texts.texts().get(0));
      assertEquals(header.isEmpty() ? 1 : 2, remarks.size(), remarks.toString());
      assertTrue(remarks.get(0).contains("labels in the first column"), remarks.get(0));
    }
    // Too few rows to see which column repeats: a model's classes tell.
    List<String> remarks = new ArrayList<>();
    assertEquals(
        List.of("good"), detect("good\tfine\n", List.of("bad", "good"), remarks).classes());
    assertEquals(List.of("fine"), detect("good\tfine\n", List.of(), remarks).classes());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertTrue(error("fine\tgood\nno tab here\n").contains("line 2 has no tab"));
    assertTrue(error("fine\t\n").contains("line 1 has no label"));
    assertTrue(error("\t1\n").contains("line 1 has no text"));
    assertTrue(error("\n\n").contains("holds no texts"));
    Path binary = folder.resolve("binary.tsv");
    Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 9, 49, 10});
    String message =
        assertThrows(DataException.class, () -> LabelledTexts.read(binary, false)).getMessage();
    assertTrue(message.contains("UTF-8"), message);
    assertThrows(DataException.class, () -> LabelledTexts.read(folder.resolve("nowhere"), false));
  }

  @Test
  void shortTextsAreFilledUp() {
    TextBatch batch = TextBatch.of(List.of(new int[] {5, 6}, new int[] {7, 8, 9}), 99);
    assertArrayEquals(new long[] {5, 6, 99, 7, 8, 9}, batch.ids().toLongs());
    assertArrayEquals(
        new long[] {1, 1, 0, 1, 1, 1},
        batch.paddingMask().to(dev.jformer.tensor.DType.INT64).toLongs());
    assertNull(TextBatch.of(List.of(new int[] {1}, new int[] {2}), 9).paddingMask());
  }
}
