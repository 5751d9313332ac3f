package dev.jformer.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written runs, and gives what the program gives. */
class WritersTest {
  @TempDir Path folder;

  private static List<List<String>> inputs(DiscreteProgram program, int count) {
    Random random = new Random(4);
    List<List<String>> inputs = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int[] codes = Programs.input(random, program.length(), program.tokens().size());
      inputs.add(Arrays.stream(codes).mapToObj(program.tokens()::get).toList());
    }
    return inputs;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 9, 40})
  void javaGivesTheSameLabels(int length) throws IOException {
    for (int seed = 0; seed < 6; seed++) {
      DiscreteProgram program = Programs.random(seed, length, seed % 2 == 0);
      Path place = Files.createDirectories(folder.resolve(length + "-" + seed));
      try (Compiled java = new Compiled("Learned", JavaWriter.write(program), place)) {
        for (List<String> input : inputs(program, 200)) {
          assertEquals(program.run(input), java.run(input));
        }
        assertThrows(IllegalArgumentException.class, () -> java.run(List.of()));
        assertThrows(
            IllegalArgumentException.class, () -> java.run(Collections.nCopies(length + 1, "0")));
      }
    }
  }

  /** More words than one constant of a class file can hold, with all that has to be escaped. */
  private static LabelScheme words(LabelKind kind, int count) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "\\",
                "\\u0041",
                "\"\"\"",
                "%s",
                "'",
                "caf\u00e9",
                "\ud83d\ude00",
                "\u4e2d\u6587",
                "<b>",
                "*/",
                "\u03a3\u03a3",
                "x\\"));
    for (int i = 0; words.size() < count; i++) {
      words.add("word" + Integer.toString(i, 36).replaceAll("[0-9]", "-") + (char) ('a' + i % 26));
    }
    List<String> tokens = Lexicon.learned(words, 1);
    return new LabelScheme(tokens, List.of("a", "b\"", "\ud83d\ude00"), 9, false, kind);
  }

  /** Known and unknown words. */
  private static List<List<String>> texts(LabelScheme scheme, int count) {
    Random random = new Random(5);
    List<String> unknown =
        List.of(
            "Nobody",
            "nothing",
            "NONE",
            "\u0130x",
            "\u03a3\u03a3",
            "@me",
            "http://x.y",
            "4x",
            "\"");
    List<List<String>> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> words = new ArrayList<>();
      for (int left = 1 + random.nextInt(scheme.mostInputs()); left > 0; left--) {
        List<String> from = random.nextInt(4) == 0 ? unknown : scheme.tokens();
        String word =
            from.get(random.nextInt(i % 2 == 0 ? Math.min(20, from.size()) : from.size()));
        words.add(random.nextInt(5) == 0 ? word.toUpperCase(Locale.ROOT) : word);
      }
      texts.add(words);
    }
    return texts;
  }

  /** Programs that read words, of few values and of so many that tables are large. */
  private static DiscreteProgram ofWords(int seed, int count) {
    LabelKind kind = seed % 2 == 0 ? LabelKind.WORDS : LabelKind.TEXTS;
    return Programs.random(seed, seed < 2 ? 9 : 64, seed < 5 ? 3 : 0, words(kind, count));
  }

  @Test
  void javaReadsWords() throws IOException {
    for (int seed = 0; seed < 4; seed++) {
      DiscreteProgram program = ofWords(seed, seed == 3 ? 12_000 : 700);
      Path place = Files.createDirectories(folder.resolve("words" + seed));
      try (Compiled java = new Compiled("Learned", JavaWriter.write(program), place)) {
        for (List<String> text : texts(program.scheme(), 300)) {
          List<String> labels = java.run(text);
          assertEquals(program.run(text), labels);
          assertEquals(seed % 2 == 0 ? text.size() : 1, labels.size());
        }
        assertThrows(IllegalArgumentException.class, () -> java.run(List.of()));
        assertThrows(
            IllegalArgumentException.class, () -> java.run(Collections.nCopies(9, "word")));
        assertThrows(
            IllegalArgumentException.class, () -> program.run(Collections.nCopies(9, "word")));
      }
    }
  }

  /** Methods of class files are limited to 64 KB: many values, many labels. */
  @Test
  void javaOfManyValuesAndLabelsCompiles() throws IOException {
    List<String> labels = IntStream.range(0, 90).mapToObj(i -> "l" + i).toList();
    LabelScheme few = words(LabelKind.TEXTS, 300);
    LabelScheme scheme = new LabelScheme(few.tokens(), labels, 9, false, LabelKind.TEXTS);
    DiscreteProgram program = Programs.random(3, 150, 2, scheme);
    try (Compiled java = new Compiled("Learned", JavaWriter.write(program), folder)) {
      for (List<String> text : texts(scheme, 30)) {
        assertEquals(program.run(text), java.run(text));
      }
    }
  }

  /** Learned variables of tokens that are all known are written as choices. */
  @Test
  void javaLooksUpTokens() throws IOException {
    DiscreteProgram plain = Programs.random(1, 9, false);
    DiscreteProgram program = Programs.random(8, 9, 3, plain.scheme());
    try (Compiled java = new Compiled("Learned", JavaWriter.write(program), folder)) {
      for (List<String> input : inputs(program, 200)) {
        assertEquals(program.run(input), java.run(input));
      }
    }
  }

  @Test
  void pythonGivesTheSameLabels() throws IOException, InterruptedException {
    Assumptions.assumeTrue(hasPython(), "there is no python3");
    StringBuilder expected = new StringBuilder();
    StringBuilder script = new StringBuilder("import sys\nsys.path.insert(0, '.')\n");
    for (int seed = 0; seed < 10; seed++) {
      DiscreteProgram program =
          seed < 6
              ? Programs.random(seed, 9, seed % 2 == 0)
              : seed < 9
                  ? ofWords(seed - 6, 900)
                  : Programs.random(8, 9, 3, Programs.random(1, 9, false).scheme());
      Files.writeString(folder.resolve("learned" + seed + ".py"), PythonWriter.write(program));
      script.append("import learned%d\n".formatted(seed));
      boolean words = program.scheme().kind().readsWords();
      for (List<String> input : words ? texts(program.scheme(), 50) : inputs(program, 50)) {
        List<String> quoted = input.stream().map(PythonWriter::quoted).toList();
        script.append("print(learned%d.run(%s))\n".formatted(seed, quoted));
        expected.append(program.run(input)).append('\n');
      }
    }
    Files.writeString(folder.resolve("all.py"), script);
    Process python =
        new ProcessBuilder("python3", "-X", "utf8", "all.py")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .start();
    String out = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, python.waitFor(), out);
    assertEquals(expected.toString(), out.replace("'", ""));
  }

  private static boolean hasPython() {
    try {
      Process python = new ProcessBuilder("python3", "--version").start();
      return python.waitFor(20, TimeUnit.SECONDS) && python.exitValue() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** A reader finds the tokens, the heads and the labels under their names. */
  @Test
  void programsAreReadable() {
    String java = JavaWriter.write(Programs.random(0, 9, false));
    assertTrue(java.contains("String[] step0 = select(") || java.contains("Integer[] step0"), java);
    assertTrue(java.contains("public static String[] run(String... token)"), java);
    assertTrue(java.lines().allMatch(line -> line.equals(line.stripTrailing())), java);
  }
}
