package dev.jformer.model.sequence;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.hub.Models;
import dev.jformer.nn.temporal.SpikeCount;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** LMUFormer and its spiking version against loops over their definitions, whole and streamed. */
@ExtendWith(Scoped.class)
class LmuFormerTest {
  private static final int FEATURES = 3;
  private static final int CLASSES = 4;

  private static LmuFormer.Config plain(int layers) {
    return new LmuFormer.Config(FEATURES, 20, CLASSES, new LmuShape(6, layers, 2, 2, 5, 12));
  }

  private static SpikingLmuFormer.Config spiking() {
    return new SpikingLmuFormer.Config()
        .withShape(new LmuShape(6, 2, 3, 2, 0, 0))
        .sized(FEATURES, 20, CLASSES);
  }

  /** Weights and averages of batch norms at other values than those they begin with. */
  private static <M extends SequenceModel> M drawn(M model, DType dtype) {
    Weights.draw(model);
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (!p.isTrainable()) {
                p.replace(Tensor.rand(p.value().shape().toArray()).mul(0.4).add(0.3));
              }
              p.replace(p.value().to(dtype));
            });
    model.train(false);
    return model;
  }

  private static double[][] convolved(double[][] x, double[] weight, int out) {
    int in = x[0].length;
    double[][] y = new double[x.length][out];
    for (int t = 0; t < x.length; t++) {
      for (int e = 0; e < out; e++) {
        for (int back = 0; back < 3 && back <= t; back++) {
          for (int c = 0; c < in; c++) {
            y[t][e] += weight[(e * in + c) * 3 + 2 - back] * x[t - back][c];
          }
        }
      }
    }
    return y;
  }

  private static double[][] normed(double[][] x, Weights w, String name) {
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < y[t].length; c++) {
        double deviation = Math.sqrt(w.vector(name + ".variance")[c] + 1e-5);
        double standard = (x[t][c] - w.vector(name + ".mean")[c]) / deviation;
        y[t][c] = standard * w.vector(name + ".weight")[c] + w.vector(name + ".bias")[c];
      }
    }
    return y;
  }

  private static double[][] relu(double[][] x) {
    return Loops.map(x, v -> Math.max(0, v));
  }

  /** One frame after the other through the recurrence of scipy's values, here the library's. */
  private static double[][] remembered(double[][] u, int order, double window) {
    var memory = new dev.jformer.mixer.recurrent.LegendreMemory(order, window);
    double[] a = memory.transition().toDoubles();
    double[] b = memory.input().toDoubles();
    double[][] all = new double[u.length][];
    double[] m = new double[order];
    for (int t = 0; t < u.length; t++) {
      double[] next = new double[order];
      for (int i = 0; i < order; i++) {
        next[i] = b[i] * u[t][0];
        for (int j = 0; j < order; j++) {
          next[i] += a[i * order + j] * m[j];
        }
      }
      m = next;
      all[t] = m;
    }
    return all;
  }

  private static double[][] beside(double[][] a, double[][] b) {
    double[][] all = new double[a.length][];
    for (int t = 0; t < a.length; t++) {
      all[t] = java.util.Arrays.copyOf(a[t], a[t].length + b[t].length);
      System.arraycopy(b[t], 0, all[t], a[t].length, b[t].length);
    }
    return all;
  }

  private static double[][] standardised(double[][] x, Weights w) {
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < y[t].length; c++) {
        y[t][c] = (x[t][c] - w.vector("frames.mean")[c]) / w.vector("frames.deviation")[c];
      }
    }
    return y;
  }

  private static double[][] lmuFormer(double[][] frames, Weights w, LmuFormer.Config config) {
    double[][] x = standardised(frames, w);
    for (int i = 0; i < config.shape().convolutions(); i++) {
      double[] weight = w.vector("embedding.convolutions." + i + ".weight");
      x = normed(relu(convolved(x, weight, config.width())), w, "embedding.norms." + i);
    }
    x = Loops.add(x, convolved(x, w.vector("embedding.position.weight"), config.width()));
    for (int i = 0; i < config.shape().layers(); i++) {
      String at = "blocks." + i + ".";
      double[][] u = relu(Loops.linear(x, w, at + "signal"));
      double[][] m = remembered(u, config.shape().order(), config.shape().window());
      double[][] h = relu(Loops.linear(beside(m, x), w, at + "read"));
      x = Loops.add(x, normed(Loops.linear(h, w, at + "out"), w, at + "outNorm"));
      double[][] up = Loops.linear(x, w, at + "up");
      double[][] hidden = Loops.map(normed(up, w, at + "upNorm"), Loops::gelu);
      double[][] down = Loops.linear(hidden, w, at + "down");
      x = Loops.add(x, relu(normed(down, w, at + "downNorm")));
    }
    return running(x, w);
  }

  private static double[][] running(double[][] states, Weights w) {
    double[][] means = new double[states.length][states[0].length];
    for (int t = 0; t < states.length; t++) {
      for (int c = 0; c < means[t].length; c++) {
        for (int s = 0; s <= t; s++) {
          means[t][c] += states[s][c] / (t + 1);
        }
      }
    }
    return Loops.linear(means, w, "head");
  }

  private static double[][] fired(double[][] x, Weights w, String name, double threshold) {
    double[][] input = normed(x, w, name + ".norm");
    double[][] spikes = new double[x.length][x[0].length];
    double[] v = new double[x[0].length];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < v.length; c++) {
        double h = v[c] + (input[t][c] - v[c]) / 2;
        spikes[t][c] = h >= threshold ? 1 : 0;
        v[c] = h >= threshold ? 0 : h;
      }
    }
    return spikes;
  }

  private static double[][] spiking(double[][] frames, Weights w, SpikingLmuFormer.Config config) {
    double[][] x = standardised(frames, w);
    double[][] s = x;
    for (int i = 0; i < config.shape().convolutions(); i++) {
      x = convolved(s, w.vector("embedding.convolutions." + i + ".weight"), config.width());
      s = fired(x, w, "embedding.spikes." + i, 1);
    }
    x = Loops.add(x, convolved(s, w.vector("embedding.position.weight"), config.width()));
    for (int i = 0; i < config.shape().layers(); i++) {
      String at = "blocks." + i + ".";
      s = fired(x, w, at + "input", 0.5);
      double[][] u = fired(Loops.linear(s, w, at + "signal"), w, at + "signalSpikes", 1);
      double[][] m = remembered(u, 2 * config.width(), config.length());
      m = fired(m, w, at + "memorySpikes", 1);
      double[][] h = Loops.linear(beside(m, s), w, at + "read");
      h = fired(h, w, at + "readSpikes", 1);
      x = Loops.add(x, normed(Loops.linear(h, w, at + "out"), w, at + "outNorm"));
      double[][] up = Loops.linear(fired(x, w, at + "upSpikes", 1), w, at + "up");
      x = Loops.add(x, Loops.linear(fired(up, w, at + "downSpikes", 1), w, at + "down"));
    }
    return running(fired(x, w, "last", 1), w);
  }

  @Test
  void answersAreThoseOfTheDefinition() {
    Random.seed(6);
    LmuFormer plain = drawn(plain(2).build(), DType.FLOAT64);
    SpikingLmuFormer spiking = drawn(spiking().build(), DType.FLOAT64);
    try (Mode mode = Autograd.noGrad()) {
      for (int length : new int[] {1, 2, 20, 70}) {
        Tensor frames = Tensor.randn(1, length, FEATURES).mul(2).to(DType.FLOAT64);
        double[][] x = dev.jformer.testing.ModuleChecks.sequences(frames)[0];
        assertClose(
            lmuFormer(x, Weights.of(plain), plain.config()),
            plain.running(frames).squeeze(0),
            1e-10);
        assertClose(
            spiking(x, Weights.of(spiking), spiking.config()),
            spiking.running(frames).squeeze(0),
            1e-10);
      }
      try (SpikeCount count = SpikeCount.open()) {
        spiking.logits(Tensor.randn(4, 20, FEATURES).to(DType.FLOAT64));
        assertTrue(count.rate() > 0.02 && count.rate() < 0.98, "rate " + count.rate());
      }
    }
  }

  /** Float32 within 1e-4, float64 within 1e-10: frame by frame, and in pieces of several. */
  @Test
  void streamsAreTheWhole() {
    Random.seed(7);
    for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
      for (SequenceModel model :
          List.of(
              drawn(plain(2).build(), dtype),
              drawn(new LmuFormer.Config().sized(FEATURES, 128, CLASSES).build(), dtype),
              drawn(spiking().build(), dtype))) {
        double tolerance = dtype == DType.FLOAT64 ? 1e-10 : 1e-4;
        try (Mode mode = Autograd.inference()) {
          Tensor frames = Tensor.randn(2, 70, FEATURES).to(dtype);
          Tensor all = model.running(frames);
          assertClose(
              model.logits(frames).toDoubles(), all.select(1, 69), tolerance, "the last answer");
          try (SequenceModel.Stream stream = model.stream()) {
            for (int t = 0; t < 70; t++) {
              Tensor next = stream.next(frames.narrow(1, t, 1));
              assertClose(
                  all.narrow(1, t, 1).contiguous().toDoubles(), next, tolerance, "frame " + t);
            }
            assertEquals(70, stream.frames());
          }
          try (SequenceModel.Stream stream = model.stream()) {
            long bytes = 0;
            int at = 0;
            for (int piece : new int[] {1, 2, 1, 61, 5}) {
              Tensor next = stream.next(frames.narrow(1, at, piece));
              assertClose(
                  all.narrow(1, at, piece).contiguous().toDoubles(), next, tolerance, "at " + at);
              at += piece;
              assertTrue(bytes == 0 || bytes == stream.bytes(), "states do not grow");
              bytes = stream.bytes();
            }
          }
        }
        model.close();
      }
    }
  }

  /** A frame that follows changes no answer before it. */
  @Test
  void causalModelsDoNotLookAhead() {
    Random.seed(8);
    SequenceEncoder.Config encoder =
        new SequenceEncoder.Config()
            .sized(FEATURES, 20, CLASSES)
            .withStack(s -> s.layers(1).width(8))
            .with(c -> c.causal(true));
    for (SequenceModel model : List.of(plain(1).build(), spiking().build(), encoder.build())) {
      drawn(model, DType.FLOAT32);
      try (Mode mode = Autograd.noGrad()) {
        Tensor frames = Tensor.randn(1, 20, FEATURES);
        Tensor other = Tensor.cat(1, frames.narrow(1, 0, 11), Tensor.randn(1, 9, FEATURES).mul(50));
        Tensor before = model.running(frames).narrow(1, 0, 11);
        assertTrue(before.sameAs(model.running(other).narrow(1, 0, 11)));
      }
    }
  }

  /** Every weight learns something, in training mode, where batches are normalised. */
  @Test
  void gradientsReachAllWeights() {
    Random.seed(9);
    for (SequenceModel model : List.of(plain(1).build(), spiking().build())) {
      Weights.draw(model);
      model.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
      model.train(true);
      Tensor labels = Tensor.of(new long[] {0, 1, 2, 3, 0, 1, 2, 3});
      Functional.crossEntropy(model.logits(Tensor.randn(8, 20, FEATURES)), labels, -1, 0)
          .backward();
      model
          .parameters()
          .forEach(
              (name, p) -> {
                if (p.isTrainable()) {
                  assertTrue(p.value().grad() != null, name);
                  assertTrue(p.value().grad().isFinite().all(), name);
                }
              });
    }
  }

  @Test
  void modelsComeBackFromDisk(@TempDir Path folder) throws IOException {
    Random.seed(10);
    List<SequenceModel> models =
        List.of(
            drawn(plain(2).build(), DType.FLOAT32),
            drawn(spiking().build(), DType.FLOAT32),
            drawn(
                new SequenceEncoder.Config()
                    .sized(FEATURES, 20, CLASSES)
                    .withStack(s -> s.layers(1).width(8))
                    .build(),
                DType.FLOAT32));
    for (SequenceModel model : models) {
      Path place = folder.resolve(model.config().type());
      Models.save(model, place);
      try (SequenceModel loaded = (SequenceModel) Models.load(place);
          Mode mode = Autograd.noGrad()) {
        loaded.train(false);
        assertEquals(model.config(), loaded.config());
        Tensor frames = Tensor.randn(2, 20, FEATURES);
        assertTrue(model.logits(frames).sameAs(loaded.logits(frames)));
      }
    }
  }

  @Test
  void refusesWhatItCannotDo() {
    SequenceModel model = plain(1).build();
    assertSame(
        IllegalStateException.class,
        assertThrows(IllegalStateException.class, model::stream).getClass());
    var shape =
        assertThrows(
            IllegalArgumentException.class, () -> model.logits(Tensor.zeros(2, 5, FEATURES + 1)));
    assertTrue(shape.getMessage().contains("expected [B, T, 3]"), shape.getMessage());
    SequenceModel encoder = new SequenceEncoder.Config().sized(FEATURES, 20, CLASSES).build();
    encoder.train(false);
    var ahead =
        assertThrows(
            UnsupportedOperationException.class,
            () -> encoder.running(Tensor.zeros(1, 20, FEATURES)));
    assertTrue(ahead.getMessage().contains("causal"), ahead.getMessage());
    assertThrows(UnsupportedOperationException.class, encoder::stream);
    assertThrows(
        IllegalArgumentException.class, () -> new LmuFormer.Config(0, 5, 2, new LmuShape()));
    assertThrows(IllegalArgumentException.class, () -> new LmuShape(8, 1, 0, 4, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new LmuShape(8, 1, 4, 0, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> spiking().with(c -> c.neuron(null)));
  }
}
