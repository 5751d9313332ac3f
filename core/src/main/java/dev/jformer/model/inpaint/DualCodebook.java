package dev.jformer.model.inpaint;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The dual codebook of <a href="https://arxiv.org/abs/2205.05076">Reduce Information Loss in
 * Transformers for Pluralistic Image Inpainting</a>, a codebook in two halves: vectors for features
 * of visible patches first, then vectors for features of patches with hidden pixels. A feature is
 * replaced by the nearest vector of its own half. In training the vectors are moving averages of
 * the features that they replace, of <a href="https://arxiv.org/abs/1711.00937">Neural Discrete
 * Representation Learning</a>:
 *
 * <pre>
 * n_i ← γ n_i + (1 - γ) |F_i|      m_i ← γ m_i + (1 - γ) Σ F_i
 * e_i = m_i / ((n_i + ε) / (n + N ε) · n),   n = Σ n_i
 * </pre>
 *
 * where F_i are the features nearest to vector i of N. Each half starts at features of the first
 * batch that has some, each as if seen once. Vectors that hardly any feature is near to, measured
 * by {@link Codec#revival}, are replaced by features of the batch. The paper starts at random
 * vectors, replaces none, and has many more updates; in short trainings one vector then takes all
 * features.
 */
public final class DualCodebook extends Module {
  private static final double EPSILON = 1e-5;

  private final int visible;
  private final int hidden;
  private final double decay;
  private final double revival;
  private final Parameter vectors;
  private final Parameter counts;
  private final Parameter sums;

  DualCodebook(Codec config) {
    this.visible = config.codes();
    this.hidden = config.hiddenCodes();
    this.decay = config.decay();
    this.revival = config.revival();
    long all = (long) visible + hidden;
    Tensor initial = Tensor.randn(all, config.codeWidth());
    this.vectors = buffer("vectors", initial);
    this.counts = buffer("counts", Tensor.zeros(all));
    this.sums = buffer("sums", initial.copy());
  }

  /** The vectors of visible patches, [K, E]. */
  public Tensor vectors() {
    return vectors.value().narrow(0, 0, visible);
  }

  /** How often each vector was used of late, of both halves: [N]. */
  public Tensor counts() {
    return counts.value();
  }

  /**
   * Finds the nearest vector of each feature in its half.
   *
   * @param features [M, E]
   * @param masked bool [M], whether the patch has hidden pixels
   * @return int64 [M], numbers of vectors; those of visible patches are less than K
   */
  public Tensor nearest(Tensor features, Tensor masked) {
    try (Mode noGrad = Autograd.noGrad();
        Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      return Scope.tidy(
          () -> {
            Tensor e = vectors.value();
            Tensor f = features.detach().to(e.dtype());
            // |f - e|² without |f|², which is the same for all vectors
            Tensor near = f.matmul(e.t()).mul(2.0).sub(e.square().sum(1, false));
            Tensor first = near.narrow(1, 0, visible).argmax(1);
            Tensor second = near.narrow(1, visible, hidden).argmax(1).add((long) visible);
            return second.where(masked, first);
          });
    }
  }

  /** The vectors of some numbers: int64 [...] to [..., E]. */
  public Tensor lookUp(Tensor numbers) {
    return Functional.embedding(numbers, vectors.value());
  }

  /**
   * Moves the vectors towards features.
   *
   * @param features [M, E]
   * @param numbers int64 [M], as {@link #nearest} gives them
   */
  void update(Tensor features, Tensor numbers) {
    try (Scope scope = Scope.open();
        Mode noGrad = Autograd.noGrad();
        Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor f = features.detach().to(sums.value().dtype());
      Tensor seen = numbers.lt((long) visible);
      start(f, seen, 0, visible);
      start(f, seen.not(), visible, hidden);
      Tensor one = Tensor.full(1, f.dtype(), f.size(0));
      counts.value().mul_(decay).indexAdd_(0, numbers, one.mul(1 - decay));
      sums.value().mul_(decay).indexAdd_(0, numbers, f.mul(1 - decay));
      Tensor all = counts.value().sum();
      Tensor smooth =
          counts
              .value()
              .add(EPSILON)
              .div(all.add(EPSILON * counts.value().elements()))
              .mul(all)
              .unsqueeze(1);
      Tensor moved = sums.value().div(smooth);
      Tensor begun = counts.value().gt(0.0).unsqueeze(1);
      vectors.value().copy_(moved.where(begun, vectors.value()));
      if (revival > 0) {
        revive(f, seen, 0, visible);
        revive(f, seen.not(), visible, hidden);
      }
    }
  }

  /** Starts a half that no feature was near to so far at features of that half. */
  private void start(Tensor features, Tensor own, int from, int count) {
    if (counts.value().narrow(0, from, count).max().item() == 0) {
      replace(features, own, Tensor.arange(from, (long) from + count), 1);
    }
  }

  /** Replaces vectors of a half that are hardly used by features of that half. */
  private void revive(Tensor features, Tensor own, int from, int count) {
    Tensor used = counts.value().narrow(0, from, count);
    double mean = used.mean().item();
    Tensor dead = used.lt(revival * mean).nonzero().flatten(0, 1);
    if (dead.elements() > 0) {
      replace(features, own, dead.add((long) from), mean);
    }
  }

  /** Replaces vectors by features of their half, drawn at random, each as if seen some times. */
  private void replace(Tensor features, Tensor own, Tensor places, double times) {
    Tensor there = own.nonzero().flatten(0, 1);
    if (there.elements() == 0) {
      return;
    }
    long count = places.elements();
    Tensor made =
        features.indexSelect(0, there.indexSelect(0, Tensor.randint(0, there.elements(), count)));
    vectors.value().indexCopy_(0, places, made);
    sums.value().indexCopy_(0, places, made.mul(times));
    counts.value().indexCopy_(0, places, Tensor.full(times, counts.value().dtype(), count));
  }
}
