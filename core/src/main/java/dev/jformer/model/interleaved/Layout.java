package dev.jformer.model.interleaved;

import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The order of local and global layers, written as {@code (2)4(2)}: numbers of local layers in
 * brackets, those of global layers between them.
 *
 * @param stages first to last
 */
record Layout(List<Stage> stages) {
  private static final Pattern WHOLE =
      Pattern.compile("(\\(\\d{1,4}\\)\\d{1,4})*(\\(\\d{1,4}\\))?");
  private static final Pattern STAGE = Pattern.compile("\\((\\d+)\\)(\\d*)");

  /**
   * Local layers and the global ones behind them.
   *
   * @param local number of layers in groups
   * @param global number of layers over all latents; 0 if a last stage has none
   */
  record Stage(int local, int global) {}

  /** Copies the stages. */
  Layout {
    stages = List.copyOf(stages);
  }

  /**
   * Reads a layout.
   *
   * @throws IllegalArgumentException if it is none; the message says what was expected
   */
  static Layout of(String text) {
    Checks.notNull("layout", text);
    Checks.check(
        !text.isEmpty() && WHOLE.matcher(text).matches(),
        "layout",
        text,
        "numbers of local layers in brackets and of global layers between them, such as (2)4(2)");
    List<Stage> stages = new ArrayList<>();
    Matcher found = STAGE.matcher(text);
    while (found.find()) {
      String global = found.group(2);
      Checks.check(
          global.isEmpty() || Integer.parseInt(global) > 0,
          "layout",
          text,
          "at least one global layer between local ones");
      stages.add(
          new Stage(
              Integer.parseInt(found.group(1)), global.isEmpty() ? 0 : Integer.parseInt(global)));
    }
    Layout layout = new Layout(stages);
    Checks.check(
        layout.local() + layout.global() > 0, "layout", text, "at least one layer, such as (1)");
    return layout;
  }

  /** Number of local layers. */
  int local() {
    return stages.stream().mapToInt(Stage::local).sum();
  }

  /** Number of global layers. */
  int global() {
    return stages.stream().mapToInt(Stage::global).sum();
  }
}
