package dev.jformer.app.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** The training step in a process of its own: a turn, a line, then it waits to be told to go on. */
final class Worker {
  private Worker() {}

  public static void main(String[] args) throws IOException {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (OurStep step = new OurStep("worker", GptShape.SMALL, false, 5)) {
      do {
        System.out.printf(Locale.ROOT, "{\"milliseconds\": %.3f}%n", step.run());
      } while (input.readLine() != null);
    }
  }
}
