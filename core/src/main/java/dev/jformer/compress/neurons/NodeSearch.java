package dev.jformer.compress.neurons;

import dev.jformer.compress.prune.Magnitude;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;

/**
 * Random search for a sparse sub-network, as in <a href="https://arxiv.org/abs/2403.08265">Random
 * Search as a Baseline for Sparse Neural Network Architecture Search</a>. Sets of hidden units are
 * drawn, each remaining network is evaluated, and the best is kept, to be trained from its initial
 * weights. The evaluation may compute the loss directly, or train the candidate for a while first.
 *
 * <p>Nodes of all perceptrons are drawn together, so that layers may keep different shares; see
 * {@link NeuronMask#drawn}. The n-th set depends only on the seed and n.
 *
 * @param samples number of sets drawn
 * @param sparsity the share of nodes that is removed
 * @param seed seed of the draws
 */
public record NodeSearch(int samples, double sparsity, long seed) {
  /** Checks the values. */
  public NodeSearch {
    Checks.atLeast("samples", samples, 1);
    Magnitude.checkSparsity(sparsity);
  }

  /**
   * A sub-network that was evaluated.
   *
   * @param loss the evaluated loss; infinite if it was NaN
   */
  public record Candidate(NeuronMask neurons, double loss) {}

  /** Draws the n-th set, from 0, of the nodes of a model. */
  public NeuronMask sample(Map<String, Integer> counts, int n) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + n);
    return NeuronMask.drawn(counts, sparsity, random);
  }

  /**
   * Evaluates all samples.
   *
   * @param start the whole network, with plain layers; it is not changed
   * @param evaluate computes the loss of a sub-network, which it may train; the sub-network is
   *     released afterwards
   * @param progress called with the share of the samples that were evaluated
   * @return the candidates, the best first
   */
  public List<Candidate> run(
      Model start, ToDoubleFunction<Model> evaluate, DoubleConsumer progress) {
    Map<String, Integer> counts = NeuronMask.counts(start);
    List<Candidate> trials = new ArrayList<>();
    for (int n = 0; n < samples; n++) {
      NeuronMask neurons = sample(counts, n);
      try (Model candidate = neurons.applied(start)) {
        double loss = evaluate.applyAsDouble(candidate);
        trials.add(new Candidate(neurons, Double.isNaN(loss) ? Double.POSITIVE_INFINITY : loss));
      }
      progress.accept((double) (n + 1) / samples);
    }
    trials.sort(Comparator.comparingDouble(Candidate::loss));
    return trials;
  }
}
