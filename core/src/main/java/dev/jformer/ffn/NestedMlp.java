package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A nested two-layer perceptron, whose first units are a smaller perceptron, of <a
 * href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic Inference</a>.
 * Its granularities are numbered from 0, the smallest; the last is all of it.
 *
 * <p>In training one granularity is drawn for each update, the same in all layers, for what is
 * drawn is a function of the update's number; or each batch is learned with all of them, which
 * {@code train.Trainer} sees to. In inference it is the whole perceptron unless {@link #use} says
 * otherwise, for each layer as one likes.
 */
public final class NestedMlp extends ChannelMixer implements ScheduledModule {
  /** What is trained in an update. */
  public enum TrainingMode {
    /** One granularity, drawn evenly. */
    ONE,
    /** All of them, their losses averaged. */
    ALL
  }

  /**
   * Configuration.
   *
   * @param activation between the two layers
   * @param expand hidden width as a multiple of D
   * @param hidden hidden width; 0 for {@code expand * D}
   * @param shares of the hidden units that each granularity has, rising, the last 1
   * @param practice what is trained in an update
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(
      Activation activation, double expand, int hidden, List<Double> shares, TrainingMode practice)
      implements ChannelMixer.Config {
    /** An eighth, a quarter, half and all of four times the width. */
    public Config() {
      this(Activation.GELU, 4, 0, List.of(0.125, 0.25, 0.5, 1.0), TrainingMode.ONE);
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
      if (practice == null) {
        throw new IllegalArgumentException("practice is null: expected one or all");
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
    public ChannelMixer build(BlockContext site) {
      return new NestedMlp(this, site);
    }
  }

  private final Config config;
  private final List<Integer> units;
  private final Slot<Layer> up;
  private final Slot<Layer> down;
  private final Slot<Layer> dropout;
  private int used;
  private int learned;

  NestedMlp(Config config, BlockContext site) {
    if (!(site.projection() instanceof Linear.Config)) {
      throw new IllegalArgumentException(
          "a nested perceptron takes parts of plain matrices, not of those of the projection '"
              + site.projection().type()
              + "': extract a model of one granularity first");
    }
    this.config = config;
    this.units = config.units(site.width());
    int hidden = units.get(units.size() - 1);
    this.used = units.size() - 1;
    this.learned = used;
    this.up = child("up", Layer.class, site.linear(site.width(), hidden));
    this.down = child("down", Layer.class, site.residual(hidden, site.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(site.dropout()));
  }

  /** What it was made of. */
  public Config config() {
    return config;
  }

  /** How many granularities there are. */
  public int granularities() {
    return units.size();
  }

  /** The granularity of inference from now on. */
  public void use(int granularity) {
    used = check(granularity);
  }

  /** The granularity of training, until the next update begins. */
  public void learn(int granularity) {
    learned = check(granularity);
  }

  private int check(int granularity) {
    if (granularity < 0 || granularity >= units.size()) {
      throw new IllegalArgumentException(
          "the granularity is " + granularity + ": expected 0 to " + (units.size() - 1));
    }
    return granularity;
  }

  @Override
  public void before(long step, long steps) {
    if (config.practice() == TrainingMode.ONE) {
      learned = new SplittableRandom(step).nextInt(units.size());
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    int granularity = isTraining() ? learned : used;
    Tensor y =
        granularity == units.size() - 1
            ? down.get().forward(config.activation().apply(up.get().forward(x)))
            : part(x, units.get(granularity));
    return dropout.get().forward(y);
  }

  private Tensor part(Tensor x, int count) {
    Linear first = plain(up);
    Linear second = plain(down);
    Tensor bias = first.bias() == null ? null : first.bias().value().narrow(0, 0, count);
    Tensor hidden = Functional.linear(x, first.weight().value().narrow(0, 0, count), bias);
    return Functional.linear(
        config.activation().apply(hidden),
        second.weight().value().narrow(1, 0, count),
        second.bias() == null ? null : second.bias().value());
  }

  private static Linear plain(Slot<Layer> slot) {
    if (slot.get() instanceof Linear linear) {
      return linear;
    }
    throw new IllegalStateException(
        "only of a plain linear layer a part can be taken, not of a "
            + slot.get().getClass().getSimpleName());
  }
}
