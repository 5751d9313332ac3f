package dev.jformer.studies.compare;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleConsumer;

/** Compresses the trained models of variants, and evaluates them on held-out data. */
record VariantCompressor(ExperimentContext context, PreparedData data, Budget budget) {
  private static final int CALIBRATION_BATCHES = 8;

  /**
   * A compressed model.
   *
   * @param metrics on held-out data; null if the compression is not possible
   * @param parameters number of weights
   * @param failure why the compression is not possible; empty if it is
   */
  record Compressed(Metrics metrics, long parameters, String failure) {}

  /**
   * Compresses the trained model of a seed.
   *
   * @param trained folder of the trained model
   * @param folder for the compressed model
   */
  Compressed compress(Variant variant, long seed, Path trained, Path folder) {
    return context.measure(
        variant.name() + ", compressed after " + budget + ", seed " + seed,
        Compressed.class,
        progress -> {
          Random.seed(seed);
          try (Model model = load(trained)) {
            return compress(variant, variant.recipe().withSeed(seed), model, folder, progress);
          }
        });
  }

  private static Model load(Path folder) {
    try {
      return Models.load(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot read the trained model in " + folder + ": repeat all measurements with --fresh",
          e);
    }
  }

  private Compressed compress(
      Variant variant, Recipe recipe, Model trained, Path folder, DoubleConsumer progress) {
    Model model = trained;
    try {
      int done = 0;
      int count = variant.compressions().size();
      for (Compression compression : variant.compressions()) {
        int before = done++;
        Model next =
            compression.apply(
                model,
                calibration(compression, recipe),
                share -> progress.accept((before + share) / count));
        if (model != trained) {
          model.close();
        }
        model = next;
      }
      save(model, folder);
      return new Compressed(evaluate(model, recipe), model.parameterCount(), "");
    } catch (IllegalArgumentException e) {
      return new Compressed(null, 0, e.getMessage());
    } finally {
      if (model != trained) {
        model.close();
      }
    }
  }

  private CalibrationData calibration(Compression compression, Recipe recipe) {
    return compression.needs() == Compression.Needs.CALIBRATION
        ? new TrainingBatches(data, recipe, CALIBRATION_BATCHES)
        : null;
  }

  private Metrics evaluate(Model model, Recipe recipe) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return data.task(model, recipe, VariantTrainer.EVALUATION_BATCHES).evaluate();
    }
  }

  private void save(Model model, Path folder) {
    try {
      FileTree.delete(folder);
      Files.createDirectories(folder);
      data.save(model, folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the compressed model in " + folder, e);
    }
  }
}
