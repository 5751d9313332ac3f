package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a CSV file to a forecast of it, by commands alone. */
class ForecastTest {
  private static final int ROWS = 400;
  private static final LocalDateTime START = LocalDateTime.of(2024, 2, 1, 0, 0);

  @TempDir private Path folder;
  private Path csv;
  private Path model;

  @BeforeEach
  void series() throws IOException {
    csv = csv("load.csv", ROWS, "load,wind", 1);
    model = folder.resolve("model");
  }

  /** Two variables that repeat every day, in units far apart. */
  private Path csv(String name, int rows, String columns, int hours) throws IOException {
    StringBuilder text = new StringBuilder("time," + columns + "\n");
    for (int t = 0; t < rows; t++) {
      double day = Math.sin(2 * Math.PI * t / 24);
      text.append(START.plusHours((long) t * hours)).append(',');
      text.append(5000 + 800 * day).append(',').append(0.1 - 0.02 * day).append('\n');
    }
    return Files.writeString(folder.resolve(name), text);
  }

  private Outcome train(Path data, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--task",
                "forecast",
                "--data",
                data.toString(),
                "--horizon",
                "6",
                "--look-back",
                "48",
                "--steps",
                "150",
                "--out",
                model.toString(),
                "--set",
                "model.width=16",
                "--set",
                "model.mixer.heads=2",
                "--set",
                "training.batch=16",
                "--set",
                "training.learningRate=0.003"));
    arguments.addAll(List.of(more));
    return Outcome.of(arguments.toArray(String[]::new));
  }

  @Test
  void aCsvIsContinuedInTwoCommands() throws IOException {
    Outcome trained = train(csv);
    assertEquals(0, trained.code(), trained.err());
    for (String beside : List.of("linear model", "last value", "season (24 rows) before")) {
      assertTrue(trained.out().contains(beside), trained.out());
    }
    assertTrue(
        trained.err().contains("48 rows to read, 6 to forecast, 2 variables"), trained.err());
    Path next = folder.resolve("next.csv");
    Outcome forecast =
        Outcome.of(
            "forecast", model.toString(), "--data", csv.toString(), "--out", next.toString());
    assertEquals(0, forecast.code(), forecast.err());
    List<String> lines = Files.readAllLines(next);
    assertEquals("time,load,load lower,load upper,wind,wind lower,wind upper", lines.get(0));
    assertEquals(7, lines.size());
    for (int step = 0; step < 6; step++) {
      String[] cells = lines.get(step + 1).split(",");
      assertEquals(START.plusHours(ROWS + (long) step).toString(), cells[0]);
      double day = Math.sin(2 * Math.PI * (ROWS + step) / 24);
      // In the user's units, and right: the series repeats exactly.
      assertEquals(5000 + 800 * day, Double.parseDouble(cells[1]), 160);
      assertEquals(0.1 - 0.02 * day, Double.parseDouble(cells[4]), 0.004);
      assertTrue(Double.parseDouble(cells[2]) <= Double.parseDouble(cells[1]), "lower edge");
      assertTrue(Double.parseDouble(cells[3]) >= Double.parseDouble(cells[1]), "upper edge");
    }
    String page = Files.readString(folder.resolve("next.html"));
    assertTrue(page.contains("<svg") && page.contains("wind"), "figures in the page");
    assertTrue(page.contains("02-17 18:00") && !page.contains("rows from"), "dates on the axis");
    assertTrue(Files.exists(folder.resolve("next-2.svg")));
    byte[] series = Files.readAllBytes(csv);
    String[] onto = {
      "forecast", model.toString(), "--data", csv.toString(), "--out", csv.toString()
    };
    assertFails(Outcome.of(onto), "which is read from");
    assertArrayEquals(series, Files.readAllBytes(csv));
  }

  @Test
  void aBacktestForecastsWhatCame() throws IOException {
    assertEquals(0, train(csv).code());
    Path back = folder.resolve("back.csv");
    Outcome outcome =
        Outcome.of(
            "forecast",
            model.toString(),
            "--data",
            csv.toString(),
            "--out",
            back.toString(),
            "--backtest",
            "5");
    assertEquals(0, outcome.code(), outcome.err());
    List<String> lines = Files.readAllLines(back);
    assertEquals(1 + 5 * 6, lines.size());
    assertTrue(lines.get(1).startsWith(START.plusHours(ROWS - 30).toString()), lines.get(1));
    assertTrue(outcome.err().contains("the value a season (24 rows) before"), outcome.err());
    assertTrue(
        outcome
            .err()
            .contains("30 rows in 5 forecasts of 6, from 2024-02-16 10:00 to 2024-02-17 15:00"),
        outcome.err());
    // The series repeats exactly, so nothing is better than the value of the day before.
    assertTrue(
        outcome.err().contains("The value a season (24 rows) before is better than this model"),
        outcome.err());
  }

  /** A meter near 1.5e9 that swings by ten, with its own column of times in its own format. */
  @Test
  void largeNumbersKeepTheirSwingAndTimesTheirFormat() throws IOException {
    StringBuilder text = new StringBuilder("Date,meter\n");
    DateTimeFormatter format = DateTimeFormatter.ofPattern("M/d/yyyy H:mm");
    for (int t = 0; t < ROWS; t++) {
      double value = 1.5e9 + 10 * Math.sin(2 * Math.PI * t / 24);
      text.append("%s,%.2f%n".formatted(START.plusHours(t).format(format), value));
    }
    Path meter = Files.writeString(folder.resolve("meter.csv"), text);
    assertEquals(0, train(meter).code());
    Path next = folder.resolve("next.csv");
    Outcome forecast =
        Outcome.of(
            "forecast", model.toString(), "--data", meter.toString(), "--out", next.toString());
    assertEquals(0, forecast.code(), forecast.err());
    List<String> lines = Files.readAllLines(next);
    assertEquals("Date,meter,meter lower,meter upper", lines.get(0));
    for (int step = 0; step < 6; step++) {
      String[] cells = lines.get(step + 1).split(",");
      assertEquals(START.plusHours(ROWS + (long) step).format(format), cells[0]);
      double value = 1.5e9 + 10 * Math.sin(2 * Math.PI * (ROWS + step) / 24);
      assertEquals(value, Double.parseDouble(cells[1]), 2);
    }
  }

  @Test
  void aStoppedTrainingGoesOnToTheSameModel() throws IOException {
    assertEquals(0, train(csv, "--set", "training.checkpointEvery=50").code());
    byte[] whole = Files.readAllBytes(model.resolve("model.safetensors"));
    Path checkpoints = model.resolve("checkpoints");
    try (var steps = Files.list(checkpoints)) {
      for (Path step : steps.filter(p -> p.toString().endsWith("150")).toList()) {
        Files.delete(step.resolve("progress.json"));
      }
    }
    Files.delete(model.resolve("model.safetensors"));
    Outcome resumed = Outcome.of("train", "--resume", model.toString());
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(
        -1,
        java.util.Arrays.mismatch(whole, Files.readAllBytes(model.resolve("model.safetensors"))));
  }

  @Test
  void aRunIsNotResumedOnOtherData() throws IOException {
    assertEquals(0, train(csv).code());
    csv("load.csv", ROWS + 50, "load,wind", 1);
    assertFails(
        Outcome.of("train", "--resume", model.toString()), "is not the file that the run in");
  }

  @Test
  void explainsWhatIsWrongInOneLine() throws IOException {
    assertFails(train(csv("few.csv", 60, "a,b", 1)), "training part has 42 rows");
    assertFails(Outcome.of("train", "--task", "forcast"), "did you mean 'forecast'");
    assertFails(Outcome.of("train", "--task", "forecast"), "give it with --data");
    String language = "model={\"model\":\"causal-lm\"}";
    assertFails(
        Outcome.of("train", "--task", "forecast", "--data", csv.toString(), "--set", language),
        "a causal-lm model cannot be trained on series");
    Path words = folder.resolve("words.csv");
    Files.writeString(words, Files.readString(csv).replaceFirst("5000.0", "many"));
    Outcome text = train(words);
    assertFails(text, "many");
    assertTrue(text.err().contains("load"), text.err());
    assertEquals(0, train(csv, "--overwrite").code());
    Path others = csv("others.csv", ROWS, "load,sun", 1);
    String out = folder.resolve("o.csv").toString();
    assertFails(
        Outcome.of("forecast", model.toString(), "--data", others.toString(), "--out", out),
        "wind");
    Path slower = csv("slower.csv", ROWS, "load,wind", 2);
    assertFails(
        Outcome.of("forecast", model.toString(), "--data", slower.toString(), "--out", out),
        "every 2h");
    Path few = csv("short.csv", 30, "load,wind", 1);
    assertFails(
        Outcome.of("forecast", model.toString(), "--data", few.toString(), "--out", out),
        "30 rows");
    assertFails(
        Outcome.of("forecast", folder.toString(), "--data", csv.toString(), "--out", out),
        "series.json");
    assertFails(
        Outcome.of(
            "forecast",
            model.toString(),
            "--data",
            csv.toString(),
            "--out",
            out,
            "--coverage",
            "1.5"),
        "1.5");
    assertTrue(Files.notExists(Path.of(out)));
  }

  private static void assertFails(Outcome outcome, String message) {
    assertEquals(1, outcome.code(), outcome.err());
    String error =
        outcome.err().lines().filter(line -> line.startsWith("jformer: ")).findFirst().orElse("");
    assertTrue(error.contains(message), outcome.err());
  }
}
