package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Results as text and as JSON. */
class PrinterTest {
  enum Ending {
    STOPPED
  }

  record Result(
      @Unit("nats per token") double validationLoss,
      @Unit(Unit.SHARE) double accuracy,
      long tokens,
      Path run,
      Ending ending) {}

  @Test
  void writesValidJsonWhateverTheNumbersAre() {
    Result diverged =
        new Result(
            Double.NaN,
            Double.POSITIVE_INFINITY,
            12_345,
            Path.of("a \"quoted\"\\folder"),
            Ending.STOPPED);
    assertEquals(
        "{\"validationLoss\":null,\"accuracy\":null,\"tokens\":12345,"
            + "\"run\":\"a \\\"quoted\\\"\\\\folder\",\"ending\":\"STOPPED\"}",
        Printer.tree(diverged).toString());
    assertEquals(
        "[[1.0,null],{\"a\":null}]",
        Printer.tree(List.of(new double[] {1, Double.NaN}, Map.of("a", Double.NEGATIVE_INFINITY)))
            .toString());
  }

  @Test
  void writesNumbersByTheirUnits() {
    Result result = new Result(1.48123, 0.93456, 12_345, Path.of("runs/x"), Ending.STOPPED);
    assertEquals(
        """
        validation loss  1.4812 nats per token
        accuracy         93.46 %
        tokens           12,345
        run              runs/x
        ending           STOPPED""",
        Printer.text(result));
  }

  @Test
  void writesListsAsTables() {
    List<Result> results =
        List.of(
            new Result(1.5, 0.5, 1_000, Path.of("a"), Ending.STOPPED),
            new Result(123.456, 1, 20, Path.of("bb"), Ending.STOPPED));
    assertEquals(
        """
        validation loss (nats per token)  accuracy (%)  tokens  run  ending
                                  1.5000         50.00   1,000  a    STOPPED
                                   123.5        100.00      20  bb   STOPPED
        """,
        Printer.text(results));
  }
}
