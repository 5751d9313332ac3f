package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class HiddenStateOptimizationTest {
  private static CausalLm model(String fields) {
    Random.seed(5);
    String config =
        "{\"model\":\"causal-lm\",\"vocab\":19,\"length\":200,\"init\":{\"deviation\":0.3},"
            + fields;
    CausalLm model = (CausalLm) Configs.parse(config + "}", Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static CausalLm deep(String mixer) {
    return model("\"layers\":2,\"width\":16,\"mixer\":{" + mixer + "}");
  }

  private static HiddenStateOptimization optimization(CausalLm model, int block, double rate) {
    return new HiddenStateOptimization(
        model, new HiddenStateOptimization.Settings(block, rate, 0.9, 0.99));
  }

  private static Tensor ids(long... shape) {
    return Tensor.rand(shape).mul(19).floor().to(DType.INT64);
  }

  // ---- The plain loss, without steps

  @ParameterizedTest
  @CsvSource({"1,1", "2,1", "63,16", "65,16", "128,64", "129,200", "200,33"})
  void withoutStepsTheLossIsTheModels(int length, int block) {
    for (String mixer :
        new String[] {
          "\"heads\":4,\"keyValueHeads\":2",
          "\"heads\":2,\"window\":7",
          "\"heads\":2,\"queryKeyNorm\":{\"type\":\"rms\"}"
        }) {
      CausalLm model = deep(mixer);
      Tensor ids = ids(3, length);
      Tensor targets = ids(3, length);
      try (Mode mode = Autograd.inference();
          HiddenStateOptimization plain = optimization(model, block, 0)) {
        Tensor losses = plain.losses(ids, targets);
        assertEquals(3L * length, losses.elements());
        assertEquals(model.loss(ids, targets).item(), losses.mean().item(), 1e-5, mixer);
      }
    }
  }

  // ---- Steps, against arrays and differences

  /**
   * One block of one head without norms: x = e + p, then x + O attention(x), then logits by e. The
   * cache of earlier tokens is given; its gradient comes from central differences.
   */
  private static final class OneHead {
    final double[][] embedding;
    final double[][] position;
    final double[][] qkv;
    final double[][] out;
    final int width;
    double[][] keys = {};
    double[][] values = {};

    OneHead(CausalLm model) {
      embedding = matrix(model, "embedding.weight");
      position = matrix(model, "position.weight");
      qkv = matrix(model, "blocks.0.mixer.qkv.weight");
      out = matrix(model, "blocks.0.mixer.out.weight");
      width = embedding[0].length;
    }

    static double[][] matrix(CausalLm model, String name) {
      Tensor weight = model.parameters().get(name).value();
      double[] all = weight.toDoubles();
      int columns = (int) weight.size(1);
      double[][] rows = new double[(int) weight.size(0)][];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = Arrays.copyOfRange(all, i * columns, (i + 1) * columns);
      }
      return rows;
    }

    static double dot(double[] a, double[] b) {
      double sum = 0;
      for (int i = 0; i < a.length; i++) {
        sum += a[i] * b[i];
      }
      return sum;
    }

    double[] state(long id, int at) {
      double[] x = new double[width];
      for (int i = 0; i < width; i++) {
        x[i] = embedding[(int) id][i] + position[at][i];
      }
      return x;
    }

    /** Rows of the query, key or value matrix times x. */
    double[] project(int part, double[] x) {
      double[] y = new double[width];
      for (int i = 0; i < width; i++) {
        y[i] = dot(qkv[part * width + i], x);
      }
      return y;
    }

    /** The losses of tokens that follow those in the cache. */
    double[] losses(long[] ids, long[] targets) {
      int before = keys.length;
      double[][] k = Arrays.copyOf(keys, before + ids.length);
      double[][] v = Arrays.copyOf(values, before + ids.length);
      double[] losses = new double[ids.length];
      for (int t = 0; t < ids.length; t++) {
        double[] x = state(ids[t], before + t);
        k[before + t] = project(1, x);
        v[before + t] = project(2, x);
        double[] query = project(0, x);
        double[] weights = new double[before + t + 1];
        double sum = 0;
        for (int s = 0; s < weights.length; s++) {
          weights[s] = Math.exp(dot(query, k[s]) / Math.sqrt(width));
          sum += weights[s];
        }
        double[] mixed = new double[width];
        for (int s = 0; s < weights.length; s++) {
          for (int i = 0; i < width; i++) {
            mixed[i] += weights[s] / sum * v[s][i];
          }
        }
        for (int i = 0; i < width; i++) {
          x[i] += dot(out[i], mixed);
        }
        double all = 0;
        for (double[] row : embedding) {
          all += Math.exp(dot(row, x));
        }
        losses[t] = Math.log(all) - dot(embedding[(int) targets[t]], x);
      }
      return losses;
    }

    double[][] gradient(double[][] entries, long[] ids, long[] targets) {
      double h = 1e-5;
      double[][] gradient = new double[entries.length][width];
      for (int s = 0; s < entries.length; s++) {
        for (int i = 0; i < width; i++) {
          double kept = entries[s][i];
          entries[s][i] = kept + h;
          double above = Arrays.stream(losses(ids, targets)).sum();
          entries[s][i] = kept - h;
          double below = Arrays.stream(losses(ids, targets)).sum();
          entries[s][i] = kept;
          gradient[s][i] = (above - below) / (2 * h);
        }
      }
      return gradient;
    }

    void append(long[] ids) {
      int before = keys.length;
      keys = Arrays.copyOf(keys, before + ids.length);
      values = Arrays.copyOf(values, before + ids.length);
      for (int t = 0; t < ids.length; t++) {
        keys[before + t] = project(1, state(ids[t], before + t));
        values[before + t] = project(2, state(ids[t], before + t));
      }
    }
  }

  /** Adam's means of one matrix of the cache. */
  private static final class Means {
    double[][] mean = {};
    double[][] square = {};
    int[] steps = {};

    void step(double[][] entries, double[][] gradient, double rate) {
      int before = mean.length;
      mean = Arrays.copyOf(mean, entries.length);
      square = Arrays.copyOf(square, entries.length);
      steps = Arrays.copyOf(steps, entries.length);
      for (int s = 0; s < entries.length; s++) {
        if (s >= before) {
          mean[s] = new double[entries[s].length];
          square[s] = new double[entries[s].length];
        }
        steps[s]++;
        for (int i = 0; i < entries[s].length; i++) {
          double g = gradient[s][i];
          mean[s][i] = 0.9 * mean[s][i] + 0.1 * g;
          square[s][i] = 0.99 * square[s][i] + 0.01 * g * g;
          double m = mean[s][i] / (1 - Math.pow(0.9, steps[s]));
          double v = square[s][i] / (1 - Math.pow(0.99, steps[s]));
          entries[s][i] -= rate * m / (Math.sqrt(v) + 1e-8);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"23,5,0.05", "23,4,0.3", "12,1,0.1", "9,9,0.1"})
  void stepsAreThoseOfArraysAndDifferences(int length, int block, double rate) {
    CausalLm model =
        model(
            "\"layers\":1,\"width\":4,\"bias\":false,\"norm\":{\"type\":\"none\"},"
                + "\"mixer\":{\"heads\":1}");
    try (Mode constant = Autograd.noGrad()) { // no channel mixer
      Tensor down = model.parameters().get("blocks.0.ffn.down.weight").value();
      down.copy_(down.zerosLike());
    }
    Tensor ids = ids(2, length);
    Tensor targets = ids(2, length);
    try (HiddenStateOptimization optimization = optimization(model, block, rate)) {
      double[] found = optimization.losses(ids, targets).toDoubles();
      for (int row = 0; row < 2; row++) {
        long[] all = ids.select(0, row).toLongs();
        long[] wanted = targets.select(0, row).toLongs();
        OneHead naive = new OneHead(model);
        Means keys = new Means();
        Means values = new Means();
        for (int from = 0; from < length; from += block) {
          long[] now = Arrays.copyOfRange(all, from, Math.min(length, from + block));
          long[] next = Arrays.copyOfRange(wanted, from, Math.min(length, from + block));
          double[] expected = naive.losses(now, next);
          int at = row * length + from;
          assertArrayEquals(expected, Arrays.copyOfRange(found, at, at + now.length), 1e-4);
          double[][] ofKeys = naive.gradient(naive.keys, now, next);
          double[][] ofValues = naive.gradient(naive.values, now, next);
          keys.step(naive.keys, ofKeys, rate);
          values.step(naive.values, ofValues, rate);
          naive.append(now);
        }
      }
    }
  }

  // ---- What it is for

  @Test
  void aTextThatRepeatsItselfBecomesMoreProbable() {
    CausalLm model = deep("\"heads\":2");
    Tensor once = ids(1, 20);
    Tensor text = Tensor.cat(1, once, once, once, once, once, once);
    Tensor inputs = text.narrow(1, 0, 119);
    Tensor targets = text.narrow(1, 1, 119);
    try (Mode mode = Autograd.inference();
        HiddenStateOptimization plain = optimization(model, 20, 0);
        HiddenStateOptimization moving = optimization(model, 20, 0.1)) {
      double before = plain.losses(inputs, targets).narrow(1, 60, 59).mean().item();
      double after = moving.losses(inputs, targets).narrow(1, 60, 59).mean().item();
      assertTrue(after < before - 0.1, after + " and " + before);
    }
  }

  /** The first two blocks are scored before anything moves: targets decide only what follows. */
  @Test
  void aTokenIsNotScoredWithWhatItMoved() {
    CausalLm model = deep("\"heads\":2");
    Tensor ids = ids(2, 40);
    Tensor one = ids(2, 40);
    Tensor other = Tensor.cat(1, one.narrow(1, 0, 24), ids(2, 16));
    try (HiddenStateOptimization moving = optimization(model, 8, 0.1)) {
      Tensor first = moving.losses(ids, one);
      Tensor second = moving.losses(ids, other);
      assertEquals(0, first.sub(second).narrow(1, 0, 24).abs().max().item());
      Tensor alone = moving.losses(ids.narrow(0, 1, 1), one.narrow(0, 1, 1));
      assertEquals(0, first.narrow(0, 1, 1).sub(alone).abs().max().item(), 1e-4);
    }
  }

  @Test
  void weightsStayAsTheyAreAndOthersTargetsDoNotCount() {
    CausalLm model = deep("\"heads\":2");
    double before = model.parameters().get("embedding.weight").value().abs().sum().item();
    Tensor targets = Tensor.cat(1, ids(1, 30), Tensor.full(-1, DType.INT64, 1, 10));
    try (HiddenStateOptimization moving = optimization(model, 8, 0.1)) {
      Tensor losses = moving.losses(ids(1, 40), targets);
      assertEquals(0, losses.narrow(1, 30, 10).abs().max().item());
    }
    assertEquals(before, model.parameters().get("embedding.weight").value().abs().sum().item());
    assertTrue(model.parameters().get("embedding.weight").value().requiresGrad());
  }

  @Test
  void otherMixersAndSenselessSettingsAreRefused() {
    CausalLm linear = deep("\"type\":\"linear\",\"heads\":2");
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> optimization(linear, 8, 0.1))
            .getMessage()
            .contains("'linear'"));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HiddenStateOptimization.Settings(0, 0.1, 0.9, 0.9));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HiddenStateOptimization.Settings(8, Double.NaN, 0.9, 0.9));
    assertThrows(
        IllegalArgumentException.class, () -> new HiddenStateOptimization.Settings(8, 0.1, 1, 0.9));
  }
}
