package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A nested two-layer perceptron, whose first units are a smaller perceptron, of <a
 * href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic Inference</a>.
 * With m of its hidden units it computes {@code W₂[:, :m] a(W₁[:m, :] x + b₁[:m]) + b₂}, a being
 * the activation. Its granularities are numbered from 0, the smallest; the last is all of it.
 *
 * <p>A gated perceptron nests in the same way, as in the authors' models of Llama's kind: with m of
 * its units it computes {@code W₂[:, :m] (a(W_g[:m, :] x) ⊙ W₁[:m, :] x)}, biases aside. One layer
 * {@code gateUp} makes both, gate first, as in {@link GatedMlp}.
 *
 * <p>In training either one granularity is drawn for each update, the same in all layers because
 * the draw depends only on the update's number; or {@code train.Trainer} trains each batch with all
 * of them. Inference runs the whole perceptron unless {@link #use} chooses another granularity,
 * which may differ between layers.
 */
public final class NestedMlp extends ChannelMixer implements ScheduledModule, JoinedLayers {
  /** Which granularities are trained in an update. */
  public enum TrainingMode {
    /** One granularity, drawn evenly. */
    ONE,
    /** All granularities, with their losses averaged. */
    ALL
  }

  /**
   * Configuration.
   *
   * @param activation between the two layers
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   * @param shares of the hidden units that each granularity has, rising, the last 1
   * @param trainingMode which granularities are trained in an update
   * @param gated whether the perceptron is gated (SwiGLU, with the activation silu)
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(
      Activation activation,
      double expand,
      int hidden,
      List<Double> shares,
      @FormerNames("practice") TrainingMode trainingMode,
      boolean gated)
      implements ChannelMixer.Config {
    /** Granularities of an eighth, a quarter, half and all of four times the width. */
    public Config() {
      this(Activation.GELU, 4, 0, List.of(0.125, 0.25, 0.5, 1.0), TrainingMode.ONE, false);
    }

    /** A perceptron without a gate. */
    public Config(
        Activation activation,
        double expand,
        int hidden,
        List<Double> shares,
        TrainingMode trainingMode) {
      this(activation, expand, hidden, shares, trainingMode, false);
    }

    /** Checks the values. */
    public Config {
      Widths.check(expand, hidden);
      shares = List.copyOf(shares);
      boolean rising = !shares.isEmpty() && shares.get(0) > 0;
      for (int i = 1; i < shares.size(); i++) {
        rising &= shares.get(i) > shares.get(i - 1);
      }
      if (!rising || shares.get(shares.size() - 1) != 1) {
        throw new IllegalArgumentException(
            "shares is " + shares + ": expected rising shares above 0 that end with 1");
      }
      if (trainingMode == null) {
        throw new IllegalArgumentException("trainingMode is null: expected one or all");
      }
    }

    /** Hidden units of each granularity in a model of width D. */
    public List<Integer> units(int width) {
      int all = Widths.hidden(width, expand, hidden, 1);
      return shares.stream().map(share -> (int) Math.max(1, Math.round(share * all))).toList();
    }

    @Override
    public String type() {
      return "nested-mlp";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new NestedMlp(this, context);
    }
  }

  private final Config config;
  private final List<Integer> units;
  private final Slot<Layer> up;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;
  private int used;
  private int trained;

  NestedMlp(Config config, BlockContext context) {
    if (!(context.projection() instanceof Linear.Config)) {
      throw new IllegalArgumentException(
          "a nested perceptron needs plain linear layers, but the projection is '"
              + context.projection().type()
              + "': extract a model of one granularity first");
    }
    this.config = config;
    this.units = config.units(context.width());
    int hidden = units.get(units.size() - 1);
    this.used = units.size() - 1;
    this.trained = used;
    this.up =
        config.gated()
            ? child("gateUp", Layer.class, context.linear(context.width(), 2L * hidden))
            : child("up", Layer.class, context.linear(context.width(), hidden));
    this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /** The configuration. */
  public Config config() {
    return config;
  }

  /** Number of granularities. */
  public int granularities() {
    return units.size();
  }

  /** Sets the granularity of inference. */
  public void use(int granularity) {
    used = check(granularity);
  }

  /** Sets the granularity of training, until the next update begins. */
  public void useInTraining(int granularity) {
    trained = check(granularity);
  }

  private int check(int granularity) {
    if (granularity < 0 || granularity >= units.size()) {
      throw new IllegalArgumentException(
          "the granularity is " + granularity + ": expected 0 to " + (units.size() - 1));
    }
    return granularity;
  }

  @Override
  public Map<String, List<Long>> joinedRows() {
    long hidden = units.get(units.size() - 1);
    return config.gated() ? Map.of("gateUp", List.of(hidden, hidden)) : Map.of();
  }

  @Override
  public void before(long step, long steps) {
    if (config.trainingMode() == TrainingMode.ONE) {
      trained = new SplittableRandom(step).nextInt(units.size());
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    int granularity = isTraining() ? trained : used;
    Tensor y =
        granularity == units.size() - 1
            ? down.get().forward(hidden(up.get().forward(x)))
            : part(x, units.get(granularity));
    return dropout.get().forward(y);
  }

  /** The hidden units from the first layer's output, in which the gate's come first. */
  private Tensor hidden(Tensor made) {
    if (!config.gated()) {
      return config.activation().apply(made);
    }
    List<Tensor> halves = made.chunk(2, -1);
    return config.activation().apply(halves.get(0)).mul(halves.get(1));
  }

  private Tensor part(Tensor x, int count) {
    Linear first = plain(up);
    Linear second = plain(down);
    Tensor bias = first.bias() == null ? null : firstUnits(first.bias().value(), count);
    Tensor made = Functional.linear(x, firstUnits(first.weight().value(), count), bias);
    return Functional.linear(
        hidden(made),
        second.weight().value().narrow(1, 0, count),
        second.bias() == null ? null : second.bias().value());
  }

  /** The rows of the first units, of the gate and of what it gates. */
  private Tensor firstUnits(Tensor rows, int count) {
    Tensor first = rows.narrow(0, 0, count);
    return config.gated()
        ? Tensor.cat(0, first, rows.narrow(0, units.get(units.size() - 1), count))
        : first;
  }

  private static Linear plain(Slot<Layer> slot) {
    if (slot.get() instanceof Linear linear) {
      return linear;
    }
    throw new IllegalStateException(
        "only a plain linear layer can be used in part, but this is a "
            + slot.get().getClass().getSimpleName());
  }
}
