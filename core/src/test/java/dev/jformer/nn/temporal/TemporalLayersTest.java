package dev.jformer.nn.temporal;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Causal convolutions and neurons against their definitions; pieces give what the whole gives. */
@ExtendWith(Scoped.class)
class TemporalLayersTest {
  private static void piecesAreTheWhole(TemporalLayer layer, int channels) {
    for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
      for (int length : new int[] {1, 2, 7, 65}) {
        layer.parameters().values().forEach(p -> p.replace(p.value().detach().to(dtype)));
        Tensor x = Tensor.randn(3, length, channels).mul(3).to(dtype);
        try (Mode mode = Autograd.noGrad();
            StreamState state = new StreamState()) {
          double[] whole = layer.forward(x).contiguous().toDoubles();
          Tensor[] frames = new Tensor[length];
          for (int t = 0; t < length; t++) {
            frames[t] = layer.run(x.narrow(1, t, 1), state);
          }
          double tolerance = dtype == DType.FLOAT64 ? 1e-12 : 1e-5;
          assertClose(whole, Tensor.cat(1, frames), tolerance, "one by one");
          assertTrue(state.bytes() > 0);
          state.clear();
          assertEquals(0, state.bytes());
          int half = (length + 1) / 2;
          Tensor first = layer.run(x.narrow(1, 0, half), state);
          Tensor both =
              half == length
                  ? first
                  : Tensor.cat(1, first, layer.run(x.narrow(1, half, length - half), state));
          assertClose(whole, both, tolerance, "in halves");
        }
      }
    }
  }

  private static Naive convolution(int out, int size) {
    return (x, w) -> {
      double[] weight = w.vector("weight");
      int in = x[0].length;
      double[][] y = new double[x.length][out];
      for (int t = 0; t < x.length; t++) {
        for (int e = 0; e < out; e++) {
          for (int back = 0; back < size && back <= t; back++) {
            for (int c = 0; c < in; c++) {
              y[t][e] += weight[(e * in + c) * size + size - 1 - back] * x[t - back][c];
            }
          }
        }
      }
      return y;
    };
  }

  @Test
  void convolutionsSumTheLastFrames() {
    Random.seed(2);
    for (int size : new int[] {1, 3, 4}) {
      for (int length : new int[] {1, 2, 9}) {
        ModuleChecks.matches(new TemporalConvolution(3, 5, size), convolution(5, size), length, 3);
      }
    }
    piecesAreTheWhole(Weights.draw(new TemporalConvolution(3, 5, 3)), 3);
    piecesAreTheWhole(Weights.draw(new TemporalConvolution(3, 5, 4)), 3);
    assertThrows(IllegalArgumentException.class, () -> new TemporalConvolution(3, 5, 0));
  }

  /** Neuron by neuron, forward and backward, by hand. */
  @Test
  void neuronsFireAndLearn() {
    Random.seed(3);
    double threshold = 0.8;
    double tau = 1.7;
    int length = 40;
    LifNeuron neurons = new LifNeuron(new LifNeuron.Config(threshold, tau), 7);
    Tensor x = Tensor.randn(2, length, 3).add(0.7).mul(1.5).to(DType.FLOAT64).requiresGrad(true);
    Tensor weight = Tensor.randn(2, length, 3).to(DType.FLOAT64);
    Tensor spikes;
    try (SpikeCount count = SpikeCount.open()) {
      spikes = neurons.forward(x);
      double fired = spikes.sum().item();
      assertEquals(fired, count.spikes());
      assertEquals(fired / (2 * length * 3), count.rate(), 1e-12);
      assertEquals(7 * fired, count.additions());
      assertTrue(count.rate() > 0.1 && count.rate() < 0.9, "some fire: " + count.rate());
    }
    spikes.mul(weight).sum().backward();
    double[] inputs = x.detach().toDoubles();
    double[] found = spikes.detach().toDoubles();
    double[] outer = weight.toDoubles();
    double[] gradient = x.grad().toDoubles();
    for (int b = 0; b < 2; b++) {
      for (int c = 0; c < 3; c++) {
        double[] h = new double[length];
        double v = 0;
        for (int t = 0; t < length; t++) {
          int at = (b * length + t) * 3 + c;
          h[t] = v + (inputs[at] - v) / tau;
          double spike = h[t] >= threshold ? 1 : 0;
          assertEquals(spike, found[at]);
          v = h[t] * (1 - spike);
        }
        // dL/dx[t] = 1/τ Σ_{r ≥ t} dL/ds[r] σ'(h[r]) Π_{t ≤ q < r} (1 - s[q]) (1 - 1/τ)
        for (int t = 0; t < length; t++) {
          double sum = 0;
          double reach = 1;
          for (int r = t; r < length; r++) {
            int at = (b * length + r) * 3 + c;
            double logistic = 1 / (1 + Math.exp(-4 * (h[r] - threshold)));
            sum += reach * outer[at] * 4 * logistic * (1 - logistic);
            reach *= (1 - found[at]) * (1 - 1 / tau);
          }
          assertEquals(sum / tau, gradient[(b * length + t) * 3 + c], 1e-12);
        }
      }
    }
  }

  @Test
  void neuronsGoOn() {
    Random.seed(4);
    piecesAreTheWhole(new LifNeuron(new LifNeuron.Config(), 1), 4);
  }

  @Test
  void countsAreThoseOfTheOpenBlock() {
    LifNeuron neurons = new LifNeuron(new LifNeuron.Config(), 2);
    Tensor x = Tensor.full(9, DType.FLOAT32, 1, 5, 3);
    try (SpikeCount outer = SpikeCount.open()) {
      neurons.forward(x);
      try (SpikeCount inner = SpikeCount.open()) {
        neurons.forward(x);
        neurons.forward(x);
        assertEquals(30, inner.spikes());
      }
      assertEquals(15, outer.spikes());
      assertEquals(30, outer.additions());
      assertEquals(1, outer.rate());
    }
    neurons.forward(x); // nobody counts
  }

  @Test
  void refusesWhatNoNeuronHas() {
    assertThrows(IllegalArgumentException.class, () -> new LifNeuron.Config(0, 2));
    assertThrows(IllegalArgumentException.class, () -> new LifNeuron.Config(1, 0.5));
    assertThrows(IllegalArgumentException.class, () -> new LifNeuron.Config(Double.NaN, 2));
    assertNull(new StreamState().get(new LifNeuron(new LifNeuron.Config(), 1)));
  }
}
