package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class ParallelTextsTest {
  @TempDir Path folder;

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  @Test
  void readsPlainAndCompressedFiles() throws IOException {
    Path source = file("a", "one\n\ntwo\u2028three\n");
    Path target = folder.resolve("b");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(target))) {
      out.write("eins\nnichts\nzwei".getBytes(StandardCharsets.UTF_8));
    }
    ParallelTexts texts = ParallelTexts.read(source, target);
    assertEquals(List.of("one", "", "two\u2028three"), texts.source());
    assertEquals(List.of("eins", "nichts", "zwei"), texts.target());
    assertEquals(List.of("eins", "zwei"), texts.withoutBlanks().target());
    assertEquals(List.of("nichts"), texts.slice(1, 2).target());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path three = file("three", "a\nb\nc\n");
    Path two = file("two", "a\nb");
    String message =
        assertThrows(DataException.class, () -> ParallelTexts.read(three, two)).getMessage();
    assertTrue(message.contains("has 3 lines") && message.contains("has 2"), message);
    Path empty = file("empty", "");
    assertThrows(DataException.class, () -> ParallelTexts.read(empty, empty));
    assertThrows(DataException.class, () -> TextLines.read(folder.resolve("nowhere")));
    Path latin = Files.write(folder.resolve("latin"), new byte[] {'a', (byte) 0xe4, '\n'});
    message = assertThrows(DataException.class, () -> TextLines.read(latin)).getMessage();
    assertTrue(message.contains("UTF-8"), message);
  }

  /** A lone CR is part of a text, as for wc, Python and the tools that made the files. */
  @Test
  void linesEndInLineFeedsOnly() throws IOException {
    Path source = file("src.en", "A dog runs.\nA man\rsits on a bench.\r\nTwo cats sleep.\r\n");
    Path target = file("ref.de", "Ein Hund rennt.\nEin Mann sitzt.\nZwei Katzen schlafen.");
    ParallelTexts texts = ParallelTexts.read(source, target);
    assertEquals(
        List.of("A dog runs.", "A man\rsits on a bench.", "Two cats sleep."), texts.source());
    assertEquals(3, texts.target().size());
    assertEquals(List.of("", "", "\r"), TextLines.read(file("blank", "\n\r\n\r\r\n")));
  }

  @Test
  void saysWhereFilesPart() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<String> source = new ArrayList<>();
    List<String> target = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      int length = 5 + random.nextInt(80);
      source.add("s".repeat(length));
      target.add("t".repeat(length + random.nextInt(8)));
    }
    String end = parting(source, target.subList(0, 190));
    assertTrue(end.contains("after line 190"), end);
    target.remove(120);
    String message = parting(source, target);
    int line = Integer.parseInt(message.replaceAll(".*part at line (\\d+),.*", "$1"));
    assertTrue(Math.abs(line - 121) <= 2, message);
    assertTrue(parting(target, source).contains("part at line " + line), "the other way round");
    assertTrue(parting(source, List.of()).contains("is empty"));
  }

  private String parting(List<String> source, List<String> target) throws IOException {
    Path from = file("from", String.join("\n", source));
    Path to = file("to", String.join("\n", target));
    return assertThrows(DataException.class, () -> ParallelTexts.read(from, to)).getMessage();
  }

  /** A file of a few kilobytes may unpack to more than the memory holds. */
  @Test
  void textsThatDoNotFitIntoTheMemoryAreRefused() {
    for (String pattern : List.of("0", "a line\n", "\n")) {
      InputStream endless =
          new InputStream() {
            private int at;

            @Override
            public int read() {
              return pattern.charAt(at++ % pattern.length());
            }

            @Override
            public int read(byte[] bytes, int from, int length) {
              for (int i = 0; i < length; i++) {
                bytes[from + i] = (byte) read();
              }
              return length;
            }
          };
      String message =
          assertThrows(DataException.class, () -> TextLines.read("bomb.gz", endless, 1 << 20))
              .getMessage();
      assertTrue(message.contains("bomb.gz does not fit into memory: line "), message);
    }
  }

  @Test
  void endsTextsAndCutsThem() {
    assertArrayEquals(new int[] {5, 6, 0}, TokenPair.ended(new int[] {5, 6}, 0, 9));
    assertArrayEquals(new int[] {5, 0}, TokenPair.ended(new int[] {5, 6, 7}, 0, 2));
    assertArrayEquals(new int[] {0}, TokenPair.ended(new int[0], 0, 9));
  }

  @Test
  void batchesAskForEveryTokenButPadding() {
    PairBatch batch =
        PairBatch.of(
            List.of(
                new TokenPair(new int[] {7, 0}, new int[] {3, 4, 0}),
                new TokenPair(new int[] {8, 9, 0}, new int[] {5, 0})));
    assertArrayEquals(new long[] {7, 0, 0, 8, 9, 0}, batch.source().toLongs());
    assertArrayEquals(new long[] {1, 1, 0, 1, 1, 1}, batch.paddingMask().to(DType.INT64).toLongs());
    assertArrayEquals(new long[] {0, 3, 4, 0, 5, 0}, batch.inputs().toLongs());
    assertArrayEquals(new long[] {0, 1, 2, 3, 4}, batch.places().toLongs());
    assertArrayEquals(new long[] {3, 4, 0, 5, 0}, batch.targets().toLongs());
    assertEquals(5, batch.tokens());
    assertNull(PairBatch.of(List.of(new TokenPair(new int[] {0}, new int[] {0}))).paddingMask());
  }

  private static List<TokenPair> pairs(int count) {
    SplittableRandom random = new SplittableRandom(3);
    List<TokenPair> pairs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pairs.add(new TokenPair(new int[1 + random.nextInt(20)], new int[1 + random.nextInt(20)]));
    }
    return pairs;
  }

  @Test
  void everyPairIsInOneBatchOfAnEpochAndBatchesKeepTheirBudget() {
    List<TokenPair> pairs = new ArrayList<>(pairs(500));
    TokenPair large = new TokenPair(new int[300], new int[4]);
    pairs.add(large);
    LengthBatches batches = new LengthBatches(pairs, 120, 9, 1);
    for (long epoch = 0; epoch < 3; epoch++) {
      IdentityHashMap<TokenPair, Integer> seen = new IdentityHashMap<>();
      for (int b = 0; b < batches.perEpoch(); b++) {
        List<TokenPair> batch = batches.chosen(epoch * batches.perEpoch() + b);
        int longest = batch.stream().mapToInt(TokenPair::longer).max().orElseThrow();
        assertTrue(
            batch.equals(List.of(large)) || batch.size() * longest <= 120,
            batch.size() + " of " + longest);
        assertTrue(batch.size() <= 9);
        batch.forEach(pair -> seen.merge(pair, 1, Integer::sum));
      }
      assertEquals(pairs.size(), seen.size());
      assertEquals(1, Collections.max(seen.values()));
    }
  }

  @Test
  void budgetsAreMadeUseOf() {
    LengthBatches batches = new LengthBatches(pairs(2000), 200, 1000, 1);
    long places = 0;
    for (int b = 0; b < batches.perEpoch(); b++) {
      List<TokenPair> batch = batches.chosen(b);
      places +=
          (long) batch.size() * batch.stream().mapToInt(TokenPair::longer).max().orElseThrow();
    }
    assertTrue(places > 0.85 * 200 * batches.perEpoch(), places + " in " + batches.perEpoch());
  }

  @Test
  void batchIsAFunctionOfItsNumber() {
    List<TokenPair> pairs = pairs(300);
    LengthBatches there = new LengthBatches(pairs, 100, 50, 7);
    LengthBatches back = new LengthBatches(pairs, 100, 50, 7);
    Map<Long, List<TokenPair>> known = new HashMap<>();
    for (long n = 0; n < 3L * there.perEpoch(); n++) {
      known.put(n, there.chosen(n));
    }
    for (long n = 3L * there.perEpoch() - 1; n >= 0; n--) {
      assertEquals(known.get(n), back.chosen(n));
    }
    assertNotEquals(
        new HashSet<>(known.values()).size(), there.perEpoch(), "epochs have other batches");
    assertNotEquals(known.get(0L), new LengthBatches(pairs, 100, 50, 8).chosen(0));
  }
}
