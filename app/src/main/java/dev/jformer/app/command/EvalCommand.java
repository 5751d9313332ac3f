package dev.jformer.app.command;

import dev.jformer.decode.HiddenStateOptimization;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.metrics.Metric;
import dev.jformer.run.EvaluationRequest;
import dev.jformer.run.EvaluationResult;
import dev.jformer.run.ImageJudging;
import dev.jformer.run.SentenceEmbeddingJob;
import dev.jformer.run.TrainedModel;
import dev.jformer.run.WeightCheck;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer eval}. */
@Command(
    name = "eval",
    header = "Measure the quality of a model on data",
    description =
        """
        Measures what suits the model: the loss and perplexity of a language model or a masked
        language model; the accuracy of a classifier of images or texts; the F1 of the named
        entities that a classifier of words finds; the BLEU score of a
        translator, as sacrebleu computes it; or, with '--task sts', how well the embeddings of an
        encoder agree with people on the similarity of texts.
        """,
    footer =
        """
        Examples:
          jformer eval runs/play
              Uses the text that was held out in training.
          jformer eval runs/play --data other.txt
          jformer eval runs/play --data other.txt --optimize-states 0.003
          jformer eval runs/images --data test.zip
          jformer eval runs/made --data test.zip --judge runs/images
          jformer eval runs/classify --data dev.tsv
          jformer eval minilm --task sts --data sts14-images.tsv sts14-OnWN.tsv
              Each line is a score, a tab, a text, a tab and another text.
          jformer eval runs/translate --task translate \\
              --source test.en --target test.de --beam 5
        """)
final class EvalCommand implements Callable<Integer> {
  private static final List<String> TASKS = List.of("sts", "translate");

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The folder of a model, or minilm or bge-small, or an .onnx or .gguf file.")
  private Path model;

  @Parameters(index = "1..*", paramLabel = "PATH", description = "More data, for --task sts.")
  private List<Path> more = List.of();

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "sts (semantic textual similarity) or translate (default: what the model was trained"
              + " for).")
  private String task;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Text (default: what was held out in training); images or labelled texts for a"
              + " classifier.")
  private List<Path> data = List.of();

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files whose names end with this; may be repeated.")
  private List<String> endings = List.of();

  @Mixin private PairOptions pairs;

  @Option(
      names = "--beam",
      paramLabel = "K",
      description = "The width of the beam search for translations (default ${DEFAULT-VALUE}).")
  private int beam = 5;

  @Option(
      names = "--window",
      paramLabel = "N",
      description =
          "Tokens that a language model sees at once (default: its length, at most 2,048).")
  private int window;

  @Option(
      names = "--stride",
      paramLabel = "N",
      description =
          "Tokens from one window's start to the next (default: the window). A smaller stride gives"
              + " each token more context, and takes longer.")
  private int stride;

  @Option(
      names = "--optimize-states",
      paramLabel = "RATE",
      description =
          "Let a language model adapt to the text by gradient steps of this rate on its cache, such"
              + " as 0.003; no token is scored with what was computed from it.")
  private Double rate;

  @Option(
      names = "--state-block",
      paramLabel = "N",
      description = "Tokens between two of these steps (default 32).")
  private Integer block;

  @Option(
      names = "--judge",
      paramLabel = "FOLDER",
      description =
          "For a model that makes images: also measure the Fréchet distance of images that it makes"
              + " from those of the data, on what the output layer of this classifier reads; it is"
              + " one of 'train --task images' for images of the same size.")
  private Path judge;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "How many images to make for --judge (default 2,000).")
  private Integer count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of the noise that they are made of (default 1).")
  private Long seed;

  @Mixin private BatchOption batch = new BatchOption(16);

  @Mixin private JsonOption json;

  @Mixin private QuietOption progress;

  /** What is wrong with the weights; null for nothing. */
  private String fault;

  @Override
  public Integer call() throws Exception {
    if (task != null && !TASKS.contains(task)) {
      throw new CommandException(
          "there is no task '" + task + "': expected one of " + String.join(", ", TASKS));
    }
    Path folder = Pretrained.find(model);
    EvaluationResult result = measure(folder, request(), progress.console());
    json.printer().print(EvaluationReport.of(result), EvaluationReport::text);
    if (fault != null) {
      throw new CommandException("the model in " + folder + " is broken: " + fault);
    }
    checkFinite(result);
    return 0;
  }

  private static void checkFinite(EvaluationResult result) {
    Metric primary = result.metrics().primary();
    for (Metric metric : result.metrics().all()) {
      double value = metric.value();
      if (metric.equals(primary) ? !Double.isFinite(value) : Double.isNaN(value)) {
        throw new CommandException(
            "the "
                + Printer.label(metric.name())
                + " on "
                + result.source()
                + " is "
                + value
                + ": the model's outputs overflow, or the data is too little to measure it");
      }
    }
  }

  private EvaluationRequest request() {
    List<Path> all = new ArrayList<>(data);
    all.addAll(more);
    if (pairs.source() == null && pairs.target() == null && !"translate".equals(task)) {
      return new EvaluationRequest(
          all, null, endings, batch.size(), beam, window, stride, states(), judging());
    }
    if (pairs.source() == null || pairs.target() == null || !all.isEmpty()) {
      throw new CommandException(
          "give the texts to translate with --source, their translations with --target");
    }
    List<Path> texts = List.of(pairs.source());
    return new EvaluationRequest(
        texts, pairs.target(), endings, batch.size(), beam, window, stride, states(), judging());
  }

  private ImageJudging judging() {
    if (judge == null) {
      if (count != null || seed != null) {
        throw new CommandException(
            (count != null ? "--count" : "--seed") + " is given without --judge FOLDER");
      }
      return null;
    }
    ImageJudging usual = new ImageJudging(judge);
    return new ImageJudging(
        judge, count == null ? usual.count() : count, seed == null ? usual.seed() : seed);
  }

  private HiddenStateOptimization.Settings states() {
    if (rate == null) {
      if (block != null) {
        throw new CommandException("--state-block is given without --optimize-states RATE");
      }
      return null;
    }
    HiddenStateOptimization.Settings usual = new HiddenStateOptimization.Settings();
    return new HiddenStateOptimization.Settings(
        block == null ? usual.block() : block, rate, usual.decay(), usual.squareDecay());
  }

  /** Refuses what only language models have. */
  private void refuseWindows(String model) {
    String given =
        rate != null
            ? "--optimize-states"
            : window != 0 ? "--window" : stride != 0 ? "--stride" : "";
    if (!given.isEmpty()) {
      throw new CommandException(given + " is for language models: this is a '" + model + "'");
    }
  }

  private EvaluationResult measure(Path folder, EvaluationRequest request, Console console)
      throws IOException {
    if (!"sts".equals(task)) {
      try (Scope scope = Scope.open();
          TrainedModel loaded = TrainedModel.load(folder)) {
        if (judge != null && !loaded.makesImages()) {
          throw new CommandException(
              "--judge is for models that make images: this is a '"
                  + loaded.model().config().type()
                  + "'");
        }
        if (!loaded.readsWindows()) {
          refuseWindows(loaded.model().config().type());
        }
        fault = WeightCheck.nonFinite(loaded.model()).orElse(null);
        return loaded.evaluate(request, console);
      }
    }
    refuseWindows("sentence encoder");
    if (judge != null) {
      throw new CommandException("--judge is for models that make images, not for --task sts");
    }
    if (request.data().isEmpty()) {
      throw new CommandException(
          "--task sts needs files of scored pairs of texts: give them with --data");
    }
    try (Scope scope = Scope.open();
        SentenceEncoder encoder = SentenceEncoder.load(folder, request.batch())) {
      return SentenceEmbeddingJob.evaluate(encoder, request.data(), console);
    }
  }
}
