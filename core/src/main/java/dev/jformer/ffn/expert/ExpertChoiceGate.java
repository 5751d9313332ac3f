package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The gate of <a href="https://arxiv.org/abs/2202.09368">Mixture-of-Experts with Expert Choice
 * Routing</a>: each expert takes the tokens of a sequence whose probability for it is highest,
 * {@code capacity · T / N} of T tokens, rounded up. All experts have the same load, so there is no
 * balancing loss; a token may get any number of experts, or none. The output of an expert is
 * weighted by the token's probability, a softmax over the experts.
 *
 * <p>Tokens of other sequences have no influence. Later tokens have, so causal models cannot use
 * it.
 */
public final class ExpertChoiceGate extends Gate {
  /**
   * Configuration.
   *
   * @param capacity mean number of experts for a token
   */
  @AutoService(Gate.Config.class)
  public record Config(double capacity) implements Gate.Config {
    /** Default, as in the paper. */
    public Config() {
      this(2);
    }

    /** Checks the values. */
    public Config {
      if (!(capacity > 0) || Double.isInfinite(capacity)) {
        throw new IllegalArgumentException(
            "capacity is " + capacity + ": expected more than 0, experts for each token");
      }
    }

    @Override
    public String type() {
      return "expert-choice";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      if (context.causal()) {
        throw new IllegalArgumentException(
            "the gate 'expert-choice' lets later tokens decide which experts earlier ones get, so a"
                + " causal model cannot use it: choose another gate, such as 'switch'");
      }
      if (capacity > experts) {
        throw new IllegalArgumentException(
            "capacity is "
                + capacity
                + ": expected at most "
                + experts
                + ", the number of experts");
      }
      return new ExpertChoiceGate(this, context, experts);
    }
  }

  private final Config config;
  private final int experts;
  private final Slot<Layer> scores;

  ExpertChoiceGate(Config config, BlockContext context, int experts) {
    this.config = config;
    this.experts = experts;
    Initializer normal = Initializer.normal(context.init().deviation());
    this.scores = child("scores", Layer.class, new Linear(context.width(), experts, false, normal));
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor probabilities = precise(() -> distribution(scores.get().forward(rows.x())));
    return Routing.where(chosen(probabilities.detach(), rows.sequences()), probabilities)
        .withProbabilities(probabilities);
  }

  /** The pairs of a token and an expert that takes it: bool [n, N]. */
  private Tensor chosen(Tensor probabilities, Tensor sequences) {
    List<Long> lengths = lengths(sequences.toLongs());
    if (lengths.stream().distinct().count() == 1) {
      return taken(probabilities.view(lengths.size(), lengths.get(0), experts)).flatten(0, 1);
    }
    List<Tensor> parts = new ArrayList<>();
    long start = 0;
    for (long length : lengths) {
      parts.add(taken(probabilities.narrow(0, start, length).unsqueeze(0)).squeeze(0));
      start += length;
    }
    return Tensor.cat(0, parts.toArray(Tensor[]::new));
  }

  /** The numbers of tokens of sequences, which stand one behind the other. */
  private static List<Long> lengths(long[] sequences) {
    List<Long> lengths = new ArrayList<>();
    long start = 0;
    for (int i = 1; i <= sequences.length; i++) {
      if (i == sequences.length || sequences[i] != sequences[i - 1]) {
        lengths.add(i - start);
        start = i;
      }
    }
    return lengths;
  }

  /** The tokens that each expert takes of sequences of one length: [B, T, N] to bool. */
  private Tensor taken(Tensor probabilities) {
    long tokens = probabilities.size(1);
    int count =
        Math.min((int) tokens, (int) Math.ceil(config.capacity() * tokens / experts - 1e-9));
    Tensor places = probabilities.topK(count, 1).indices();
    return Tensor.zeros(DType.FLOAT32, probabilities.shape().toArray())
        .scatter(1, places, 1.0)
        .gt(0.5);
  }
}
