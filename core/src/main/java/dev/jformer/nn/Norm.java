package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Part;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** Normalisations, by default of the last dimension: [..., D] to [..., D]. */
public final class Norm {
  private Norm() {}

  /** Configuration of a normalisation. */
  public interface Config extends Part {
    /** Builds the layer for a width D. */
    Layer build(int width);

    /** Whether the result for a token depends on other tokens, so that it cannot be causal. */
    default boolean mixesTokens() {
      return false;
    }
  }

  /**
   * Layer normalisation (<a href="https://arxiv.org/abs/1607.06450">Layer Normalization</a>):
   * subtract the mean, divide by the deviation, scale, shift.
   *
   * @param epsilon added to the variance
   * @param bias whether there is a shift
   */
  @AutoService(Config.class)
  public record LayerNormConfig(double epsilon, boolean bias) implements Config {
    /** Defaults. */
    public LayerNormConfig() {
      this(1e-5, true);
    }

    /** Checks the values. */
    public LayerNormConfig {
      Checks.atLeast("epsilon", epsilon, 0);
    }

    @Override
    public String type() {
      return "layer";
    }

    @Override
    public Layer build(int width) {
      return new LayerNorm(this, width);
    }
  }

  /**
   * Root-mean-square normalisation (<a href="https://arxiv.org/abs/1910.07467">Root Mean Square
   * Layer Normalization</a>): divide by the root of the mean square, scale.
   *
   * @param epsilon added to the mean square
   * @param zeroCentered whether the weights are the differences of the factors from 1, so that
   *     weight decay draws the factors to 1, as in Gemma
   */
  @AutoService(Config.class)
  public record RmsNormConfig(double epsilon, boolean zeroCentered) implements Config {
    /** Defaults. */
    public RmsNormConfig() {
      this(1e-6);
    }

    /** Checks the values. */
    public RmsNormConfig {
      Checks.atLeast("epsilon", epsilon, 0);
    }

    /** Weights that are the factors themselves. */
    public RmsNormConfig(double epsilon) {
      this(epsilon, false);
    }

    @Override
    public String type() {
      return "rms";
    }

    @Override
    public Layer build(int width) {
      return new RmsNorm(this, width);
    }
  }

  /**
   * Group normalisation with a single group (<a href="https://arxiv.org/abs/1803.08494">Group
   * Normalization</a>), as in MetaFormer: mean and deviation are taken over all channels of all
   * tokens of a sequence, including padding: [B, T, D].
   *
   * @param epsilon added to the variance
   */
  @AutoService(Config.class)
  public record GroupNormConfig(double epsilon) implements Config {
    /** Defaults. */
    public GroupNormConfig() {
      this(1e-5);
    }

    /** Checks the values. */
    public GroupNormConfig {
      Checks.atLeast("epsilon", epsilon, 0);
    }

    @Override
    public String type() {
      return "group";
    }

    @Override
    public boolean mixesTokens() {
      return true;
    }

    @Override
    public Layer build(int width) {
      return new GroupNorm(this, width);
    }
  }

  /** No normalisation: the identity. Some techniques make models trainable without any. */
  @AutoService(Config.class)
  public record NoNormConfig() implements Config {
    @Override
    public String type() {
      return "none";
    }

    @Override
    public Layer build(int width) {
      return new Identity();
    }
  }

  private static final class LayerNorm extends Layer {
    private final double epsilon;
    private final Parameter weight;
    private final Parameter bias;

    LayerNorm(LayerNormConfig config, int width) {
      this.epsilon = config.epsilon();
      this.weight = parameter("weight", Tensor.ones(width));
      this.bias = config.bias() ? parameter("bias", Tensor.zeros(width)) : null;
    }

    @Override
    public Tensor forward(Tensor x) {
      return Functional.layerNorm(x, weight.value(), bias == null ? null : bias.value(), epsilon);
    }

    @Override
    public RowFunction rowFunction() {
      float[] factors = weight.value().toFloats();
      float[] shifts = bias == null ? new float[factors.length] : bias.value().toFloats();
      return RowNorm.layer(factors, shifts, epsilon);
    }
  }

  private static final class GroupNorm extends Layer {
    private final double epsilon;
    private final Parameter weight;
    private final Parameter bias;

    GroupNorm(GroupNormConfig config, int width) {
      this.epsilon = config.epsilon();
      this.weight = parameter("weight", Tensor.ones(width));
      this.bias = parameter("bias", Tensor.zeros(width));
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor all = x.flatten(1, 2);
      Tensor standard = Functional.layerNorm(all, null, null, epsilon).unflatten(1, -1, x.size(2));
      return bias.value().addProduct(standard, weight.value());
    }
  }

  private static final class RmsNorm extends Layer {
    private final RmsNormConfig config;
    private final Parameter weight;

    RmsNorm(RmsNormConfig config, int width) {
      this.config = config;
      this.weight =
          parameter("weight", config.zeroCentered() ? Tensor.zeros(width) : Tensor.ones(width));
    }

    @Override
    public Tensor forward(Tensor x) {
      Tensor factors = config.zeroCentered() ? weight.value().add(1) : weight.value();
      return Functional.rmsNorm(x, factors, config.epsilon());
    }

    @Override
    public RowFunction rowFunction() {
      float[] factors = weight.value().toFloats();
      if (config.zeroCentered()) {
        for (int i = 0; i < factors.length; i++) {
          factors[i] += 1;
        }
      }
      return RowNorm.rms(factors, config.epsilon());
    }
  }
}
