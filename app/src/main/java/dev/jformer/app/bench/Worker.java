package dev.jformer.app.bench;

import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.model.CausalLm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A training step, or decoding with 4-bit weights if a shape is given, in a process of its own: a
 * turn, a line, then it waits to be told to go on.
 */
final class Worker {
  private Worker() {}

  public static void main(String[] args) throws IOException {
    if (args.length == 0) {
      try (OurStep step = new OurStep("worker", GptShape.SMALL, false, 5)) {
        serve(step);
      }
      return;
    }
    try (CausalLm model = DecodingShape.valueOf(args[0]).build(new WeightInt4())) {
      serve(new OurDecoding("worker", model, 1));
    }
  }

  private static void serve(Workload work) throws IOException {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    do {
      System.out.printf(Locale.ROOT, "{\"milliseconds\": %.3f}%n", work.run());
    } while (input.readLine() != null);
  }
}
