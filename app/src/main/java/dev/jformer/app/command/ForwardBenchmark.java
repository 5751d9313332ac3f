package dev.jformer.app.command;

import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Passes through models of any family that texts or images are given to, and how long they take.
 */
final class ForwardBenchmark {
  private static final int LONGEST = 128;
  private static final int NEW_TOKENS = 32;
  private static final int PROMPT = 8;
  private static final double ENOUGH_SECONDS = 1.5;
  private static final int FEWEST = 3;
  private static final int MOST = 50;

  private ForwardBenchmark() {}

  /** Whether there are passes through models of this family. */
  static boolean suit(Model model) {
    return model instanceof CausalLm
        || model instanceof Encoder
        || model instanceof ImageClassifier;
  }

  /** Whether a model is an encoder that gives embeddings of texts and nothing else. */
  static boolean embeds(Model model) {
    return model instanceof Encoder encoder
        && encoder.config().labels() == 0
        && !encoder.config().head().mlmHead();
  }

  /**
   * One pass.
   *
   * @param input ids [B, T], or images
   * @param paddingMask which ids are no padding; null for all
   */
  static Tensor forward(Model model, Tensor input, Tensor paddingMask) {
    if (model instanceof CausalLm lm) {
      return lm.logits(input);
    }
    if (model instanceof Encoder encoder) {
      if (encoder.config().labels() > 0) {
        return encoder.logits(input, paddingMask);
      }
      return encoder.config().head().mlmHead()
          ? encoder.mlmLogits(input, paddingMask)
          : encoder.hidden(input, paddingMask);
    }
    return ((ImageClassifier) model).logits(input);
  }

  /** What a pass counts. */
  static String unit(Model model) {
    return model instanceof ImageClassifier ? "images" : "tokens";
  }

  /** How many of them one input has. */
  static long units(Model model) {
    return model instanceof ImageClassifier ? 1 : length(model);
  }

  private static long length(Model model) {
    int length =
        model instanceof CausalLm lm ? lm.config().length() : ((Encoder) model).config().length();
    return Math.min(LONGEST, length);
  }

  private static Tensor random(Model model, int batch) {
    if (model instanceof ImageClassifier images) {
      long size = images.config().size();
      return Tensor.rand(batch, ImageClassifier.CHANNELS, size, size);
    }
    long ids =
        model instanceof CausalLm lm ? lm.config().vocab() : ((Encoder) model).config().tokens();
    return Tensor.randint(0, ids, batch, length(model));
  }

  /**
   * Median seconds of a pass through each of some models of one shape, which take turns.
   *
   * @param batch inputs at a time
   */
  static double[] seconds(List<Model> models, int batch) {
    try (Scope scope = Scope.open()) {
      Tensor input = random(models.get(0), batch);
      return turns(
          models,
          model -> {
            try (Mode mode = Autograd.inference();
                Scope pass = Scope.open()) {
              forward(model, input, null);
            }
          });
    }
  }

  /** Median seconds that each of some language models takes for a token, decoding one text. */
  static double[] secondsOfToken(List<Model> models) {
    int longest = (int) Math.min(PROMPT + NEW_TOKENS, ((CausalLm) models.get(0)).longest());
    int prompt = Math.min(PROMPT, longest - 1);
    int[] ids = new int[prompt];
    Generator.Request request = new Generator.Request(longest - prompt, Sampling.GREEDY);
    double[] seconds =
        turns(
            models,
            model ->
                new Generator((CausalLm) model).generate(List.of(ids), request, x -> "", null));
    return Arrays.stream(seconds).map(s -> s / (longest - prompt)).toArray();
  }

  private interface Turn {
    void take(Model model);
  }

  private static double[] turns(List<Model> models, Turn turn) {
    models.forEach(turn::take);
    List<double[]> rounds = new ArrayList<>();
    double total = 0;
    while (rounds.size() < FEWEST || (total < ENOUGH_SECONDS && rounds.size() < MOST)) {
      double[] round = new double[models.size()];
      for (int i = 0; i < round.length; i++) {
        long start = System.nanoTime();
        turn.take(models.get(i));
        round[i] = (System.nanoTime() - start) / 1e9;
        total += round[i];
      }
      rounds.add(round);
    }
    double[] medians = new double[models.size()];
    for (int i = 0; i < medians.length; i++) {
      int number = i;
      double[] sorted = rounds.stream().mapToDouble(round -> round[number]).sorted().toArray();
      medians[i] = sorted[sorted.length / 2];
    }
    return medians;
  }

  /** Bytes of memory that a model's weights take, those that were made for kernels among them. */
  static long bytes(Model model) {
    return model.parameterBytes()
        + model.modules().values().stream().mapToLong(Module::derivedBytes).sum();
  }
}
