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
