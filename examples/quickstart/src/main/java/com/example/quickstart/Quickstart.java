package com.example.quickstart;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Trains a small language model on a text, loads it and lets it write. */
public final class Quickstart {
  private Quickstart() {}

  /**
   * Trains in a folder, which keeps the model.
   *
   * @param args the text, the folder, and optionally the number of training steps
   */
  public static void main(String[] args) throws IOException {
    if (args.length < 2) {
      System.err.println("usage: Quickstart TEXT FOLDER [STEPS], for example input.txt runs/first");
      System.exit(2);
    }
    Path folder = Path.of(args[1]);
    Recipe recipe =
        Recipe.named("shakespeare")
            .withData(Path.of(args[0]))
            .withSteps(args.length > 2 ? Integer.parseInt(args[2]) : 300)
            .with("model.layers", "2")
            .with("model.width", "128")
            .with("model.length", "64");
    Metrics metrics = Run.train(recipe, folder, Progress.console());
    System.out.println("held-out " + metrics.primary());
    System.out.println(write(folder, "The "));
  }

  /** Continues a text with the model in a folder. */
  private static String write(Path folder, String prompt) throws IOException {
    Tokenizer tokenizer = Tokenizers.load(folder);
    try (CausalLm model = (CausalLm) Models.load(folder)) {
      model.train(false);
      Sampling sampling = new Sampling(0.8, 50, 0.95, 0, 1, 1);
      List<Generator.Continuation> texts =
          new Generator(model)
              .generate(
                  List.of(tokenizer.encode(prompt)),
                  new Generator.Request(60, sampling),
                  tokenizer::decode,
                  null);
      return prompt + texts.get(0).text();
    }
  }
}
