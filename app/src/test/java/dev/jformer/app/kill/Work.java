package dev.jformer.app.kill;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A command that is killed and continued, in a folder of its own.
 *
 * @param name of the work
 * @param output the folder or file that it writes, which it locks while it works
 * @param result the folder that is compared in the end
 * @param before commands that come before, which are not killed
 * @param command begins the work
 * @param again continues it after a kill; the same command for those that have no other
 */
record Work(
    String name,
    String output,
    String result,
    List<List<String>> before,
    List<String> command,
    List<String> again) {
  /** The name of the folder with what the commands before have made. */
  static final String BEFORE = "before";

  /** All kinds of work. */
  static List<Work> all(Inputs inputs) {
    String text = inputs.file("text.txt").toString();
    String bytes = inputs.file("bytes.json").toString();
    String model = inputs.file("../from/" + BEFORE + "/model").normalize().toString();
    return List.of(
        training("bytes", inputs),
        training("bpe", inputs),
        training("average", inputs),
        training("masked", inputs),
        training("classify", inputs),
        training("images", inputs),
        training("translate", inputs),
        training("forecast", inputs),
        new Work(
            "overwrite",
            "run",
            "run",
            List.of(train(inputs.file("classify.json").toString(), "run")),
            with(train(bytes, "run"), "--overwrite"),
            RESUME),
        new Work(
            "from",
            "run",
            "run",
            List.of(train(bytes, "model")),
            with(train(bytes, "run"), "--from", model),
            RESUME),
        same("tickets", "run-tickets", List.of("tickets", "run", "--rounds", "2"), bytes),
        same(
            "compress",
            "small",
            List.of("compress", "run", "--with", "weight-int8", "--data"),
            bytes,
            text,
            "--out",
            "small"),
        same(
            "export",
            "hf",
            List.of("export", "run", "--out", "hf"),
            inputs.file("learned.json").toString()),
        new Work(
            "vocabulary",
            "vocab",
            "vocab",
            List.of(),
            List.of("tokenizer", "train", "--data", text, "--vocabulary", "500", "--out", "vocab"),
            List.of()),
        new Work(
            "compare",
            "out",
            "out",
            List.of(),
            List.of(
                "compare",
                "--base",
                bytes,
                "--with",
                "alibi,weight-int8",
                "--budget",
                "60steps",
                "--out",
                "out"),
            List.of()),
        new Work(
            "reproduce",
            "runs/studies/smoke/notes/urpe",
            "runs",
            List.of(),
            List.of("reproduce", "urpe", "--scale", "smoke", "--data", text),
            List.of()));
  }

  private static final List<String> RESUME = List.of("train", "--resume", "run");

  private static Work training(String name, Inputs inputs) {
    String recipe = inputs.file(name + ".json").toString();
    return new Work(name, "run", "run", List.of(), train(recipe, "run"), RESUME);
  }

  private static Work same(
      String name, String output, List<String> command, String recipe, String... more) {
    return new Work(
        name, output, output, List.of(train(recipe, "run")), with(command, more), List.of());
  }

  private static List<String> train(String recipe, String out) {
    return List.of("train", "--recipe", recipe, "--out", out, "--quiet");
  }

  private static List<String> with(List<String> command, String... more) {
    return Stream.concat(command.stream(), Arrays.stream(more)).toList();
  }

  /** Whether the work consists in a run, which has metrics and checkpoints. */
  boolean isTraining() {
    return !again.isEmpty();
  }

  /** The command for a folder, which may have been begun. */
  List<String> next(Path folder, Path reference) throws IOException {
    if (!isTraining()) {
      return command;
    }
    Path begun = folder.resolve(output).resolve("recipe.json");
    Path wanted = reference.resolve(output).resolve("recipe.json");
    boolean ours = Files.exists(begun) && Files.exists(wanted) && Files.mismatch(begun, wanted) < 0;
    return ours ? again : command;
  }
}
