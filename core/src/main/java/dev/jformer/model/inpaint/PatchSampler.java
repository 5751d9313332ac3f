package dev.jformer.model.inpaint;

import dev.jformer.config.Checks;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Chooses the codes of hidden patches one after the other, as <a
 * href="https://arxiv.org/abs/2205.05076">Reduce Information Loss in Transformers for Pluralistic
 * Image Inpainting</a> does: of the patches that are still hidden, the one with the largest logit
 * is next; its code is drawn from the most probable ones, and the code's vector is put in as if the
 * patch were visible.
 *
 * @param topK a code is drawn from so many with the largest logits; 1 for the most probable code
 * @param temperature divides the logits; more than 1 for more variety
 */
public record PatchSampler(int topK, double temperature) {
  /** Defaults, those of the paper. */
  public PatchSampler() {
    this(50, 1);
  }

  /** Checks the values. */
  public PatchSampler {
    Checks.atLeast("topK", topK, 1);
    Checks.moreThan("temperature", temperature, 0);
  }

  /** Predicts codes from features. */
  @FunctionalInterface
  public interface Predictor {
    /** [B, T, E] to logits [B, T, K]. */
    Tensor logits(Tensor features);
  }

  /**
   * The codes of hidden patches.
   *
   * @param codes for each image and patch, the number of its code; -1 for visible patches
   * @param order for each image, the hidden patches as they were filled
   */
  public record Filled(List<int[]> codes, List<List<Integer>> order) {}

  /**
   * Chooses codes for images side by side.
   *
   * @param features [B, T, E], which stay as they are
   * @param masked for each image, which patches are hidden
   * @param vectors of the codes, [K, E]
   * @param draws random numbers for each image
   * @param progress called with the number of passes that are done
   */
  public Filled fill(
      Predictor predictor,
      Tensor features,
      List<boolean[]> masked,
      Tensor vectors,
      List<? extends RandomGenerator> draws,
      LongConsumer progress) {
    int places = (int) features.size(1);
    List<int[]> codes = new ArrayList<>();
    List<List<Integer>> order = new ArrayList<>();
    List<boolean[]> open = new ArrayList<>();
    for (boolean[] mask : masked) {
      int[] none = new int[places];
      Arrays.fill(none, -1);
      codes.add(none);
      order.add(new ArrayList<>());
      open.add(mask.clone());
    }
    try (Scope scope = Scope.open()) {
      Tensor now = features.detach().copy();
      Tensor flat = now.view(-1, features.size(2));
      long done = 0;
      for (int[] rows = unfinished(open); rows.length > 0; rows = unfinished(open)) {
        try (Scope step = Scope.open()) {
          step(predictor, now, flat, open, rows, vectors, draws, codes, order);
        }
        progress.accept(++done);
      }
    }
    return new Filled(codes, order);
  }

  private static int[] unfinished(List<boolean[]> open) {
    return IntStream.range(0, open.size())
        .filter(i -> IntStream.range(0, open.get(i).length).anyMatch(t -> open.get(i)[t]))
        .toArray();
  }

  private void step(
      Predictor predictor,
      Tensor now,
      Tensor flat,
      List<boolean[]> open,
      int[] rows,
      Tensor vectors,
      List<? extends RandomGenerator> draws,
      List<int[]> codes,
      List<List<Integer>> order) {
    Tensor some =
        rows.length == open.size() ? now : now.indexSelect(0, Tensor.of(rows, rows.length));
    Tensor logits = predictor.logits(some).to(DType.FLOAT32);
    int places = (int) logits.size(1);
    float[] best = logits.max(2, false).contiguous().toFloats();
    int[] chosen = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      chosen[i] = next(best, i * places, open.get(rows[i]));
    }
    int[] at = IntStream.range(0, rows.length).map(i -> i * places + chosen[i]).toArray();
    Tensor theirs = logits.flatten(0, 1).indexSelect(0, Tensor.of(at, at.length));
    int count = (int) theirs.size(1);
    float[] scores = theirs.contiguous().toFloats();
    long[] drawn = new long[rows.length];
    long[] targets = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      int row = rows[i];
      int code = draw(scores, i * count, count, draws.get(row));
      codes.get(row)[chosen[i]] = code;
      order.get(row).add(chosen[i]);
      open.get(row)[chosen[i]] = false;
      drawn[i] = code;
      targets[i] = (long) row * places + chosen[i];
    }
    Tensor put = vectors.indexSelect(0, Tensor.of(drawn, drawn.length)).to(flat.dtype());
    flat.indexCopy_(0, Tensor.of(targets, targets.length), put);
  }

  /** The hidden patch with the largest logit; the first of equal ones. */
  private static int next(float[] best, int from, boolean[] open) {
    int next = -1;
    for (int t = 0; t < open.length; t++) {
      if (open[t] && (next < 0 || best[from + t] > best[from + next])) {
        next = t;
      }
    }
    return next;
  }

  private int draw(float[] scores, int from, int count, RandomGenerator random) {
    int[] ranked =
        IntStream.range(0, count)
            .boxed()
            .sorted((a, b) -> Float.compare(scores[from + b], scores[from + a]))
            .limit(topK)
            .mapToInt(i -> i)
            .toArray();
    double[] weights = new double[ranked.length];
    double all = 0;
    for (int i = 0; i < ranked.length; i++) {
      weights[i] = Math.exp((scores[from + ranked[i]] - scores[from + ranked[0]]) / temperature);
      all += weights[i];
    }
    double left = random.nextDouble() * all;
    for (int i = 0; i < ranked.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return ranked[i];
      }
    }
    return ranked[0];
  }
}
