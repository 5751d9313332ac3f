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
 *
 * <p>The authors' frozen layer also has a random bias, by which a gate prefers the same experts for
 * all tokens; {@code bias} adds it. It is left out by default, as in models of earlier builds.
 */
public final class SmoeDropoutGate extends Gate implements Gate.Slimmable {
  /**
   * Configuration.
   *
   * @param first experts for each token when training begins; 0 for half of all
   * @param last experts for each token when training ends; 0 for all
   * @param inference experts for each token in inference; 0 for {@code last}
   * @param bias whether the frozen layer has a random bias, as the authors' has
   */
  @AutoService(Gate.Config.class)
  @FormerNames("frozen")
  public record Config(int first, int last, int inference, boolean bias) implements Gate.Config {
    /** Defaults: from half of the experts to all. */
    public Config() {
      this(0, 0, 0);
    }

    /** A gate without a bias. */
    public Config(int first, int last, int inference) {
      this(first, last, inference, false);
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
  private final Parameter bias;
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
    this.bias = config.bias() ? buffer("bias", drawnBias(experts, context.width())) : null;
  }

  private static Tensor drawnBias(int experts, int width) {
    return Tensor.rand(experts).mul(2.0).sub(1.0).mul(1 / Math.sqrt(width));
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

  private Tensor logits(Tensor x) {
    Tensor offset = bias == null ? null : bias.value().to(x.dtype());
    return Functional.linear(x, weight.value().to(x.dtype()), offset);
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor logits = precise(() -> logits(rows.x()));
    Tensor.Ranked best = logits.topK(isTraining() ? growing : active, 1);
    return Routing.of(experts, best.indices(), distribution(best.values()))
        .withProbabilities(distribution(logits));
  }
}
