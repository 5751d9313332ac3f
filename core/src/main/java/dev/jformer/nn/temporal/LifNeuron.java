package dev.jformer.nn.temporal;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Leaky integrate-and-fire neurons, one for each channel: [B, T, C] to spikes, which are 0 or 1.
 * The frames of the sequence are the steps of their time. A membrane's potential v follows its
 * input x, and is set back to 0 when it fires:
 *
 * <pre>
 * h[t] = v[t-1] + (x[t] - v[t-1]) / τ
 * s[t] = 1 if h[t] ≥ threshold, else 0
 * v[t] = h[t] (1 - s[t])
 * </pre>
 *
 * <p>A step has no slope, so in the backward pass that of a logistic function stands for it, the
 * surrogate gradient of <a href="https://arxiv.org/abs/1901.09948">Surrogate Gradient Learning in
 * Spiking Neural Networks</a>: {@code k σ(k z) (1 - σ(k z))} of z = h - threshold, with k = 4. No
 * gradient flows through the setting back. Both as in the code of <a
 * href="https://arxiv.org/abs/2402.04882">LMUFormer</a>.
 *
 * <p>Steps follow one another, and each costs a few operations for an element, so they are loops in
 * Java with a gradient of their own rather than some thousand small operators.
 */
public final class LifNeuron extends TemporalLayer {
  private static final double SLOPE = 4;

  /**
   * Configuration.
   *
   * @param threshold the potential at which a neuron fires
   * @param tau τ, how many steps a potential lasts
   */
  public record Config(double threshold, double tau) {
    /** Defaults: a threshold of 1, two steps. */
    public Config() {
      this(1, 2);
    }

    /** Checks the values. */
    public Config {
      Checks.moreThan("threshold", threshold, 0);
      Checks.atLeast("tau", tau, 1);
    }

    /** Returns this configuration with another threshold. */
    public Config withThreshold(double newThreshold) {
      return new Config(newThreshold, tau);
    }
  }

  private final Config config;
  private final int synapses;

  /**
   * Creates a layer.
   *
   * @param synapses number of neurons of the next layer that each spike reaches, for {@link
   *     SpikeCount}
   */
  public LifNeuron(Config config, int synapses) {
    this.config = config;
    this.synapses = synapses;
  }

  @Override
  public Tensor run(Tensor x, StreamState state) {
    Tensor exact = x.dtype() == DType.FLOAT64 ? x : x.to(DType.FLOAT32);
    Steps steps = new Steps(exact, config);
    Tensor before = kept(state);
    double[] potential =
        before == null ? new double[steps.batch * steps.channels] : before.toDoubles();
    double[] reached = exact.detach().contiguous().toDoubles();
    double[] spikes = new double[reached.length];
    steps.forward(reached, potential, spikes);
    keep(state, Tensor.of(potential, steps.batch, steps.channels));
    SpikeCount.add(spikes, synapses);
    Tensor result = steps.tensor(spikes).to(exact.dtype());
    if (!exact.requiresGrad() || !Autograd.isEnabled()) {
      return result.to(x.dtype());
    }
    return Autograd.withGradient(
            "leaky integrate-and-fire",
            result,
            (gradient, operands) -> List.of(steps.backward(gradient, reached, spikes)),
            exact)
        .to(x.dtype());
  }

  /** The loops over frames, for sequences of a shape. */
  private static final class Steps {
    private final Config config;
    private final int batch;
    private final int frames;
    private final int channels;

    Steps(Tensor x, Config config) {
      this.config = config;
      this.batch = Math.toIntExact(x.size(0));
      this.frames = Math.toIntExact(x.size(1));
      this.channels = Math.toIntExact(x.size(2));
    }

    Tensor tensor(double[] values) {
      return Tensor.of(values, batch, frames, channels);
    }

    /** Turns inputs into the potentials h that are reached; moves the potentials v on. */
    void forward(double[] inputs, double[] potential, double[] spikes) {
      for (int b = 0; b < batch; b++) {
        int membrane = b * channels;
        for (int t = 0; t < frames; t++) {
          int at = (b * frames + t) * channels;
          for (int c = 0; c < channels; c++) {
            double v = potential[membrane + c];
            double h = v + (inputs[at + c] - v) / config.tau;
            boolean fires = h >= config.threshold;
            inputs[at + c] = h;
            spikes[at + c] = fires ? 1 : 0;
            potential[membrane + c] = fires ? 0 : h;
          }
        }
      }
    }

    /** The gradient of the inputs, from that of the spikes. */
    Tensor backward(Tensor gradient, double[] reached, double[] spikes) {
      Tensor z = tensor(reached).to(gradient.dtype()).sub(config.threshold).mul(SLOPE);
      Tensor logistic = z.sigmoid();
      Tensor slope = logistic.mul(logistic.neg().add(1.0)).mul(SLOPE);
      double[] outer = gradient.mul(slope).contiguous().toDoubles();
      double kept = 1 - 1 / config.tau;
      double[] inner = new double[outer.length];
      double[] later = new double[channels];
      for (int b = 0; b < batch; b++) {
        Arrays.fill(later, 0);
        for (int t = frames - 1; t >= 0; t--) {
          int at = (b * frames + t) * channels;
          for (int c = 0; c < channels; c++) {
            double h = outer[at + c] + later[c] * (1 - spikes[at + c]);
            inner[at + c] = h / config.tau;
            later[c] = h * kept;
          }
        }
      }
      return tensor(inner).to(gradient.dtype());
    }
  }
}
