package dev.jformer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Batch;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.BpeTrainer;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.StreamingDecoder;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextTest {
  private static final int[] CODES = {
    'a', 'b', ' ', ' ', '\n', '.', '7', '\'', 's', 0xE4, 0x20AC, 0x4E2D, 0x1F600, '\t', 0
  };

  private final long seed = Long.getLong("jformer.test.seed", System.nanoTime());
  private final Random random = new Random(seed);

  @TempDir Path folder;

  private String randomText(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.appendCodePoint(CODES[random.nextInt(CODES.length)]);
    }
    return text.toString();
  }

  private Path file(String name, byte[] content) throws IOException {
    Path path = folder.resolve(name);
    Files.createDirectories(path.getParent());
    return Files.write(path, content);
  }

  private static String readAll(Corpus corpus) throws IOException {
    StringBuilder all = new StringBuilder();
    corpus.read(all::append);
    return all.toString();
  }

  @Test
  void readsLargeFilesInPiecesWithoutCuttingCharacters() throws IOException {
    String text = randomText(900_000); // several pieces, characters of one to four bytes
    Path path = file("large.txt", text.getBytes(StandardCharsets.UTF_8));
    Corpus corpus = Corpus.open(path, List.of());
    List<String> pieces = new ArrayList<>();
    corpus.read(pieces::add);
    assertTrue(pieces.size() > 1);
    assertEquals(text, String.join("", pieces), "seed " + seed);
  }

  @Test
  void namesTheByteThatIsNoUtf8() throws IOException {
    for (int at : new int[] {0, 5, 1_500_003}) {
      byte[] bytes = "x".repeat(at + 10).getBytes(StandardCharsets.UTF_8);
      bytes[at] = (byte) 0xFF;
      Corpus corpus = Corpus.open(file("broken.txt", bytes), List.of());
      String message =
          assertThrows(DataException.class, () -> corpus.read(piece -> {})).getMessage();
      assertTrue(message.contains("not valid UTF-8 at byte " + at + ":"), message);
    }
    byte[] cut = {'a', (byte) 0xE2, (byte) 0x82}; // ends within a character
    Corpus corpus = Corpus.open(file("cut.txt", cut), List.of());
    String message = assertThrows(DataException.class, () -> corpus.read(piece -> {})).getMessage();
    assertTrue(message.contains("at byte 1:"), message);
  }

  @Test
  void readsFoldersAndZipsInTheOrderOfTheirNames() throws IOException {
    file("src/b/Two.java", "two ".getBytes(StandardCharsets.UTF_8));
    file("src/a/One.java", "one ".getBytes(StandardCharsets.UTF_8));
    file("src/a/notes.txt", "notes ".getBytes(StandardCharsets.UTF_8));
    file("src/.git/hidden.java", "hidden ".getBytes(StandardCharsets.UTF_8));
    assertEquals("one two ", readAll(Corpus.open(folder.resolve("src"), List.of(".java"))));
    assertEquals("one notes two ", readAll(Corpus.open(folder.resolve("src"), List.of())));

    Path zip = folder.resolve("sources.jar");
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out)) {
      for (String name : List.of("z.java", "META-INF/x.txt", "a.java")) {
        entries.putNextEntry(new ZipEntry(name));
        entries.write((name + " ").getBytes(StandardCharsets.UTF_8));
      }
    }
    assertEquals("a.java z.java ", readAll(Corpus.open(zip, List.of(".java"))));
  }

  /** Of the archive's directory, the size of one entry is changed. */
  @Test
  void archivesWhoseDirectoryLiesAboutSizesAreRefused() throws IOException {
    Path zip = folder.resolve("liar.zip");
    try (ZipOutputStream entries = new ZipOutputStream(Files.newOutputStream(zip))) {
      entries.putNextEntry(new ZipEntry("a.txt"));
      entries.write("some text".repeat(100).getBytes(StandardCharsets.UTF_8));
    }
    byte[] bytes = Files.readAllBytes(zip);
    int directory = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("PK\1\2");
    bytes[directory + 26] = 1; // the third byte of the size: 65,536 more
    Files.write(zip, bytes);
    Corpus corpus = Corpus.open(zip, List.of());
    assertMessage("the directory of the zip file says", () -> corpus.read(piece -> {}));
  }

  @Test
  void filesThatGrowWhileTheyAreReadAreRefused() throws IOException {
    Path text = file("a.txt", new byte[] {'a'});
    Corpus corpus = Corpus.open(text, List.of());
    file("a.txt", new byte[] {'a', 'b'});
    assertMessage("has 2 bytes, but 1 when its folder was listed", () -> corpus.read(piece -> {}));
  }

  /** Buffers are not made anew for each of many small files. */
  @Test
  void smallFilesTakeLittleMemory() throws IOException {
    int files = 300;
    for (int i = 0; i < files; i++) {
      file("many/" + i + ".txt", "a few words".getBytes(StandardCharsets.UTF_8));
    }
    Corpus corpus = Corpus.open(folder.resolve("many"), List.of());
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    corpus.read(piece -> {});
    long each = (threads.getCurrentThreadAllocatedBytes() - before) / files;
    assertTrue(each < 100_000, each + " bytes allocated for each file");
  }

  @Test
  void saysWhenThereIsNothingToRead() throws IOException {
    assertMessage("no such file or folder", () -> Corpus.open(folder.resolve("none"), List.of()));
    Path empty = file("empty.txt", new byte[0]);
    assertMessage("holds no text", () -> Corpus.open(empty, List.of()));
    assertMessage("in files that end in .java", () -> Corpus.open(folder, List.of(".java")));
    Path zip = file("broken.zip", new byte[] {1, 2, 3});
    assertMessage("cannot read", () -> Corpus.open(zip, List.of()));
  }

  private static void assertMessage(String part, org.junit.jupiter.api.function.Executable action) {
    String message = assertThrows(DataException.class, action).getMessage();
    assertTrue(message.contains(part) && !message.contains("\n"), message);
  }

  private TokenFile tokens(String text, Tokenizer tokenizer, double validation) throws IOException {
    Path path = file("text.txt", text.getBytes(StandardCharsets.UTF_8));
    return TokenFile.prepare(
        folder.resolve("tokens"), Corpus.open(path, List.of()), tokenizer, validation, bytes -> {});
  }

  @Test
  void holdsOutTheLastTenthOfTheBytes() throws IOException {
    String text = "0123456789".repeat(1000);
    try (Scope scope = Scope.open();
        TokenFile file = tokens(text, new ByteTokenizer(), 0.1)) {
      assertEquals(9000, file.header().trainTokens());
      assertEquals(1000, file.header().validationTokens());
      assertEquals(9000, file.header().trainBytes());
      int[] train = file.train().toInts();
      int[] held = file.validation().toInts();
      for (int i = 0; i < text.length(); i++) {
        assertEquals(text.charAt(i), i < 9000 ? train[i] : held[i - 9000]);
      }
    }
  }

  @Test
  void anExcerptHasTheFirstTokensOfBothParts() throws IOException {
    String text = randomText(10_000);
    try (Scope scope = Scope.open();
        TokenFile file = tokens(text, new ByteTokenizer(), 0.1);
        TokenFile excerpt = file.excerpt(700, 50);
        TokenFile all = file.excerpt(Long.MAX_VALUE, Long.MAX_VALUE)) {
      assertArrayEquals(
          java.util.Arrays.copyOf(file.train().toInts(), 700), excerpt.train().toInts());
      assertArrayEquals(
          java.util.Arrays.copyOf(file.validation().toInts(), 50), excerpt.validation().toInts());
      assertEquals(700, excerpt.header().trainBytes());
      assertEquals(50, excerpt.header().validationBytes());
      assertArrayEquals(file.train().toInts(), all.train().toInts());
      assertEquals(file.header().validationTokens(), all.header().validationTokens());
    }
  }

  @Test
  void tokensOfTheFileAreTheTextsTokens() throws IOException {
    String text = randomText(150_000);
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece(text);
    Tokenizer tokenizer = trainer.train(400, count -> {});
    try (Scope scope = Scope.open();
        TokenFile file = tokens(text, tokenizer, 1)) {
      int[] ids = file.validation().toInts();
      assertEquals(tokenizer.endOfText().getAsInt(), ids[ids.length - 1]);
      assertEquals(text, tokenizer.decode(java.util.Arrays.copyOf(ids, ids.length - 1)));
      assertEquals(text.getBytes(StandardCharsets.UTF_8).length, file.header().validationBytes());
    }
  }

  @Test
  void makesTokensAgainWhenTheyAreStaleOrDamaged() throws IOException {
    tokens("abcdefghij".repeat(10), new ByteTokenizer(), 0.5).close();
    try (TokenFile other = tokens("0123456789".repeat(20), new ByteTokenizer(), 0.5)) {
      assertEquals(100, other.header().trainTokens());
    }
    Path bin = folder.resolve("tokens").resolve("tokens.bin");
    Files.write(bin, new byte[] {1, 2, 3});
    assertMessage("has 3 bytes, expected 200", () -> TokenFile.open(folder.resolve("tokens")));
    try (TokenFile again = tokens("0123456789".repeat(20), new ByteTokenizer(), 0.5)) {
      assertEquals(100, again.header().trainTokens());
    }
    Files.writeString(folder.resolve("tokens").resolve("tokens.json"), "{\"vocab");
    assertMessage("is damaged", () -> TokenFile.open(folder.resolve("tokens")));
    assertMessage("no tokens in", () -> TokenFile.open(folder.resolve("nowhere")));
  }

  @Test
  void refusesHeadersThatSayTooLittleOrTheImpossible() throws IOException {
    tokens("0123456789".repeat(20), new ByteTokenizer(), 0.5).close();
    Path place = folder.resolve("tokens");
    String sound = Files.readString(place.resolve("tokens.json"));
    for (String header :
        List.of(
            "{}",
            "null",
            "[]",
            "3",
            sound.replace("\"UINT8\"", "null"),
            sound.replace("\"UINT8\"", "0"),
            sound.replace("\"UINT8\"", "\"FLOAT32\""),
            sound.replace("\"UINT8\"", "\"BOOL\""),
            sound.replace("\"vocabulary\":256", "\"vocabulary\":0"),
            sound.replaceAll("\"fingerprint\":\"[^\"]*\"", "\"fingerprint\":null"),
            sound.replace("\"trainTokens\":100", "\"trainTokens\":-100"),
            sound.replace("\"trainTokens\":100", "\"trainTokens\":9223372036854775807"),
            sound.replace("\"trainTokens\":100", "\"trainTokens\":4611686018427387904"))) {
      assertFalse(header.equals(sound));
      Files.writeString(place.resolve("tokens.json"), header);
      assertMessage("delete " + place, () -> TokenFile.open(place));
      try (TokenFile again = tokens("0123456789".repeat(20), new ByteTokenizer(), 0.5)) {
        assertEquals(100, again.header().trainTokens(), header); // prepare makes it again
      }
    }
  }

  @Test
  void leavesNoTokensWhenTheCorpusIsBroken() throws IOException {
    Path path = file("bad.txt", new byte[] {'a', 'b', (byte) 0xC0, 'c'});
    assertThrows(
        DataException.class,
        () ->
            TokenFile.prepare(
                folder.resolve("t"),
                Corpus.open(path, List.of()),
                new ByteTokenizer(),
                0.1,
                bytes -> {}));
    try (var left = Files.list(folder.resolve("t"))) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void batchesAreFunctionsOfTheirNumbers() throws IOException {
    try (Scope scope = Scope.open();
        TokenFile file = tokens(randomText(4000), new ByteTokenizer(), 0.1)) {
      SequenceSampler sampler = new SequenceSampler(file, 4, 16, 9);
      Batch first = sampler.batch(7);
      sampler.batch(8);
      assertTrue(first.inputs().sameAs(new SequenceSampler(file, 4, 16, 9).batch(7).inputs()));
      assertFalse(first.inputs().sameAs(sampler.batch(8).inputs()));
      assertFalse(first.inputs().sameAs(new SequenceSampler(file, 4, 16, 10).batch(7).inputs()));
      long[] inputs = first.inputs().toLongs();
      long[] targets = first.targets().toLongs();
      for (int i = 0; i < inputs.length; i++) {
        if (i % 16 != 15) {
          assertEquals(inputs[i + 1], targets[i]);
        }
      }
    }
  }

  @Test
  void everyHeldOutTokenButTheFirstIsATargetOnce() throws IOException {
    for (int length : new int[] {2, 3, 17, 64, 65, 1000}) {
      try (Scope scope = Scope.open();
          TokenFile file = tokens("x".repeat(length), new ByteTokenizer(), 1)) {
        long[] seen = new long[1];
        HeldOut.read(file, 4, 8, Long.MAX_VALUE, batch -> seen[0] += batch.targets().elements());
        assertEquals(length - 1, seen[0], "length " + length);
      }
    }
  }

  @Test
  void saysWhenTheTextIsTooShort() throws IOException {
    try (Scope scope = Scope.open();
        TokenFile file = tokens("short text", new ByteTokenizer(), 0.1)) {
      assertMessage("need at least 257", () -> new SequenceSampler(file, 4, 256, 1));
      assertMessage("no text for validation", () -> HeldOut.read(file, 4, 8, 9, batch -> {}));
    }
  }

  @Test
  void byteTokenizerKeepsEveryText() throws IOException {
    Tokenizer bytes = new ByteTokenizer();
    String text = randomText(2000);
    assertEquals(text, bytes.decode(bytes.encode(text)));
    bytes.save(folder);
    Tokenizer loaded = Tokenizers.load(folder);
    assertEquals(256, loaded.vocabularySize());
    assertArrayEquals(bytes.encode(text), loaded.encode(text));
  }

  @Test
  void streamingShowsWholeCharactersOnly() throws IOException {
    String text = randomText(300);
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece(text);
    for (Tokenizer tokenizer : List.of(new ByteTokenizer(), trainer.train(280, count -> {}))) {
      StreamingDecoder decoder = new StreamingDecoder(tokenizer);
      StringBuilder shown = new StringBuilder();
      for (int id : tokenizer.encode(text)) {
        String part = decoder.next(id);
        assertFalse(part.contains("\uFFFD"), "seed " + seed);
        shown.append(part);
      }
      assertEquals(text, shown.append(decoder.end()).toString(), "seed " + seed);
    }
  }

  @Test
  void refusesWhatIsNoTokenizer() throws IOException {
    assertMessage("no tokenizer at", () -> Tokenizers.load(folder));
    file("tokenizer.json", "{\"model\": ".getBytes(StandardCharsets.UTF_8));
    assertMessage("not valid JSON", () -> Tokenizers.load(folder));
    file("tokenizer.json", "{\"model\": 3}".getBytes(StandardCharsets.UTF_8));
    assertMessage("cannot use the tokenizer", () -> Tokenizers.load(folder));
    file("tokenizer.json", "{\"model\": {\"type\":\"X\"}}".getBytes(StandardCharsets.UTF_8));
    assertMessage("cannot use the tokenizer", () -> Tokenizers.load(folder));
  }
}
