package com.example.quickstart;

import dev.jformer.decode.Sampling;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.LanguageModel;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import java.io.IOException;
import java.nio.file.Path;

/** Trains a small language model on a text, loads it and generates text. */
public final class Quickstart {
  private Quickstart() {}

  /**
   * Trains a model and prints generated text.
   *
   * @param args the text file, the folder of the run, and optionally the number of training steps
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
    try (LanguageModel model = LanguageModel.load(folder)) {
      System.out.print("The ");
      model.generate("The ", Sampling.of(0.8).maxTokens(60)).forEach(System.out::print);
    }
    System.out.println();
  }
}
