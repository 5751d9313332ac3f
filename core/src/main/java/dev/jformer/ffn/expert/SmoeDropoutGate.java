package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * The gate of SMoE-Dropout, <a href="https://arxiv.org/abs/2303.01610">Sparse MoE as the New
 * Dropout: Scaling Dense and Self-Slimmable Transformers</a>. It is a linear layer that is drawn at
 * random and never learns. The k experts of the highest scores work on a token, weighted by the
 * softmax over them. In training k grows evenly from {@code first} to {@code last}; in inference
 * every k can be chosen.
 */
public final class SmoeDropoutGate extends Gate implements Gate.Slimmable {
  /**
   * Configuration.
   *
   * @param first experts for each token when training begins; 0 for half of all
   * @param last experts for each token when training ends; 0 for all
   * @param inference experts for each token in inference; 0 for {@code last}
   */
  @AutoService(Gate.Config.class)
  @FormerNames("frozen")
  public record Config(int first, int last, int inference) implements Gate.Config {
    /** Defaults: from half of the experts to all. */
    public Config() {
      this(0, 0, 0);
    }

    /** Checks the values. */
    public Config {
      if (first < 0 || last < 0 || inference < 0) {
        throw new IllegalArgumentException(
            "first is "
                + first
                + ", last is "
                + last
                + " and inference is "
                + inference
                + ": expected at least 0");
      }
    }

    @Override
    public String type() {
      return "smoe-dropout";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new SmoeDropoutGate(this, context, experts);
    }
  }

  private final int experts;
  private final int first;
  private final int last;
  private final Parameter weight;
  private int growing;
  private int active;

  SmoeDropoutGate(Config config, BlockContext context, int experts) {
    this.experts = experts;
    this.first = config.first() == 0 ? Math.max(1, experts / 2) : config.first();
    this.last = config.last() == 0 ? experts : config.last();
    this.active = config.inference() == 0 ? last : config.inference();
    for (int k : new int[] {first, last, active}) {
      check(k, experts);
    }
    if (first > last) {
      throw new IllegalArgumentException("first is " + first + ": expected at most last, " + last);
    }
    this.growing = first;
    // PyTorch's initial weights of a linear layer, which the authors' gates have.
    this.weight = buffer("weight", Initializer.uniformFanIn().create(experts, context.width()));
  }

  @Override
  void before(long step, long steps) {
    this.growing = (int) Math.min(last, Math.round((double) (last - first) * step / steps) + first);
  }

  @Override
  public void activate(int k) {
    check(k, experts);
    this.active = k;
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor logits =
        precise(() -> Functional.linear(rows.x(), weight.value().to(rows.x().dtype()), null));
    Tensor.Ranked best = logits.topK(isTraining() ? growing : active, 1);
    return Routing.of(experts, best.indices(), distribution(best.values()))
        .withProbabilities(distribution(logits));
  }
}
