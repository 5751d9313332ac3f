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
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

  @Test
  void pythonGivesTheSameLabels() throws IOException, InterruptedException {
    Assumptions.assumeTrue(hasPython(), "there is no python3");
    StringBuilder expected = new StringBuilder();
    StringBuilder script = new StringBuilder("import sys\nsys.path.insert(0, '.')\n");
    for (int seed = 0; seed < 6; seed++) {
      DiscreteProgram program = Programs.random(seed, 9, seed % 2 == 0);
      Files.writeString(folder.resolve("learned" + seed + ".py"), PythonWriter.write(program));
      script.append("import learned%d\n".formatted(seed));
      for (List<String> input : inputs(program, 50)) {
        List<String> quoted = input.stream().map(word -> '"' + Codes.escaped(word) + '"').toList();
        script.append("print(learned%d.run(%s))\n".formatted(seed, quoted));
        expected.append(program.run(input)).append('\n');
      }
    }
    Files.writeString(folder.resolve("all.py"), script);
    Process python =
        new ProcessBuilder("python3", "all.py")
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
