package dev.jformer.studies.compare;

import dev.jformer.run.Progress;
import dev.jformer.run.TrainedModel;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.compare.VariantCompressor.Compressed;
import dev.jformer.studies.compare.VariantTrainer.Pace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Runs the measurements of a comparison: trainings, compressions, then speeds in turns. */
record ComparisonRun(
    Comparison comparison,
    ExperimentContext context,
    VariantTrainer trainer,
    VariantCompressor compressor,
    Progress progress) {
  private static final String WEIGHTS = ".safetensors";

  /** The speeds of variants, measured together. */
  record Speeds(List<Inference> all) {}

  /** The result of each seed of a variant, and the folder of its first model. */
  private record Measured(List<Result.Run> runs, Path model) {}

  List<Result> results() {
    Map<String, Pace> paces = paces();
    Map<String, List<TrainingOutcome>> trained = new LinkedHashMap<>();
    Map<Variant, Measured> measured = new LinkedHashMap<>();
    for (Variant variant : comparison.variants()) {
      Variant plain = variant.trained();
      List<TrainingOutcome> outcomes =
          trained.computeIfAbsent(
              plain.name(), name -> trainer.train(plain, paces.get(name), comparison.seeds()));
      Measured found =
          variant.isCompressed() ? compressed(variant, outcomes) : plain(plain, outcomes);
      if (found != null) {
        measured.put(variant, found);
      }
    }
    List<Inference> speeds = speeds(measured);
    List<Result> results = new ArrayList<>();
    measured.forEach(
        (variant, found) ->
            results.add(
                new Result(
                    variant.name(),
                    found.runs,
                    paces.get(variant.trained().name()).speed(),
                    speeds.get(results.size()))));
    return results;
  }

  /** Measures the paces of the variants that are trained, and says how long all will take. */
  private Map<String, Pace> paces() {
    Map<String, Variant> plain = new LinkedHashMap<>();
    comparison.variants().stream()
        .map(Variant::trained)
        .forEach(variant -> plain.putIfAbsent(variant.name(), variant));
    List<Pace> measured = trainer.paces(List.copyOf(plain.values()));
    Map<String, Pace> paces = new LinkedHashMap<>();
    double seconds = 0;
    for (Variant variant : plain.values()) {
      Pace pace = measured.get(paces.size());
      paces.put(variant.name(), pace);
      double each = trainer.steps(variant, pace) * pace.secondsPerStep();
      seconds += Double.isFinite(each) ? comparison.seeds() * each : 0;
    }
    progress.remark(
        String.format(
            Locale.ROOT,
            "%d trainings: about %s in all, and the time of evaluations",
            plain.size() * comparison.seeds(),
            Load.duration(seconds)));
    return paces;
  }

  private Measured plain(Variant variant, List<TrainingOutcome> outcomes) {
    List<Result.Run> runs = new ArrayList<>();
    for (TrainingOutcome outcome : outcomes) {
      Path folder = trainer.folder(variant, runs.size() + 1L);
      long bytes = outcome.diverged() ? 0 : bytes(folder);
      runs.add(new Result.Run(outcome, outcome.last(), outcome.parameters(), bytes));
    }
    return new Measured(runs, trainer.folder(variant, 1));
  }

  /**
   * Measures a variant's compressed models; adds a note and returns null if the compression is not
   * possible.
   */
  private Measured compressed(Variant variant, List<TrainingOutcome> outcomes) {
    List<Result.Run> runs = new ArrayList<>();
    for (TrainingOutcome outcome : outcomes) {
      long seed = runs.size() + 1L;
      Path folder = trainer.folder(variant, seed);
      if (outcome.diverged()) {
        runs.add(new Result.Run(outcome, null, outcome.parameters(), 0));
        continue;
      }
      Path trained = trainer.folder(variant.trained(), seed);
      Compressed found = compressor.compress(variant, seed, trained, folder);
      if (!found.failure().isEmpty()) {
        context.note(variant.name() + " was left out: " + found.failure());
        return null;
      }
      runs.add(new Result.Run(outcome, found.metrics(), found.parameters(), bytes(folder)));
    }
    return new Measured(runs, trainer.folder(variant, 1));
  }

  private static long bytes(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      long sum = 0;
      for (Path file : files.filter(f -> f.toString().endsWith(WEIGHTS)).toList()) {
        sum += Files.size(file);
      }
      return sum;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot read the model in " + folder + ": repeat all measurements with --fresh", e);
    }
  }

  private List<Inference> speeds(Map<Variant, Measured> measured) {
    List<String> names = measured.keySet().stream().map(Variant::name).toList();
    return context
        .measure(
            "speeds of " + String.join(", ", names) + " after " + comparison.budget(),
            Speeds.class,
            () -> new Speeds(speeds(measured.values().stream().map(Measured::model).toList())))
        .all();
  }

  private static List<Inference> speeds(List<Path> folders) {
    List<TrainedModel> models = new ArrayList<>();
    try {
      for (Path folder : folders) {
        models.add(Files.isDirectory(folder) ? TrainedModel.load(folder) : null);
      }
      List<Inference> known =
          Inference.measure(models.stream().filter(model -> model != null).toList());
      List<Inference> all = new ArrayList<>();
      int next = 0;
      for (TrainedModel model : models) {
        all.add(model == null ? Inference.UNKNOWN : known.get(next++));
      }
      return all;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot read a trained model: repeat all measurements with --fresh", e);
    } finally {
      models.stream().filter(model -> model != null).forEach(TrainedModel::close);
    }
  }
}
