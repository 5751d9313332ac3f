package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Part;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** Normalisations of the last dimension, [..., D] to [..., D]. */
public final class Norm {
  private Norm() {}

  /** Configuration of a normalisation. */
  public interface Config extends Part {
    /** The layer for a width D. */
    Layer build(int width);
  }

  /**
   * Layer normalisation (arXiv 1607.06450): subtract the mean, divide by the deviation, scale,
   * shift.
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
   * Root-mean-square normalisation (arXiv 1910.07467): divide by the root of the mean square,
   * scale.
   *
   * @param epsilon added to the mean square
   */
  @AutoService(Config.class)
  public record RmsNormConfig(double epsilon) implements Config {
    /** Defaults. */
    public RmsNormConfig() {
      this(1e-6);
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
   * No normalisation: the identity. Some techniques make a model trainable without any, and need
   * this as their baseline.
   */
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
  }

  private static final class RmsNorm extends Layer {
    private final double epsilon;
    private final Parameter weight;

    RmsNorm(RmsNormConfig config, int width) {
      this.epsilon = config.epsilon();
      this.weight = parameter("weight", Tensor.ones(width));
    }

    @Override
    public Tensor forward(Tensor x) {
      return Functional.rmsNorm(x, weight.value(), epsilon);
    }
  }
}
