package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What bash completes with the script of {@code generate-completion}. */
class CompletionTest {
  private static final String TRY =
      """
      source ./script
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
      _complete_jformer 2>/dev/null
      echo "${COMPREPLY[*]}"
      """;

  @TempDir Path folder;

  static boolean hasBash() {
    return Files.isExecutable(Path.of("/bin/bash"));
  }

  @EnabledIf("hasBash")
  @ParameterizedTest
  @CsvSource({
    "train --recipe sh, shakespeare",
    "train --task cl, classify",
    "compare --base fine-tune-m, fine-tune-mlm",
    "reproduce flow, flowformer",
    "papers smoe, smoe-dropout",
    "train --resume runs/pl, runs/play",
    "eval runs/pl, runs/play",
    "trai, train"
  })
  void valuesAreCompleted(String typed, String completed) throws Exception {
    Files.createDirectories(folder.resolve("runs/play"));
    Files.writeString(folder.resolve("script"), Outcome.of("generate-completion").out());
    Files.writeString(folder.resolve("try"), TRY);
    String line = "bash try jformer " + typed;
    Process process = new ProcessBuilder(line.split(" ")).directory(folder.toFile()).start();
    String found = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(completed, found.strip());
  }
}
