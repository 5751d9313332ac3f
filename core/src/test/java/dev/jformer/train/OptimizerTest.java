package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class OptimizerTest {
  /** A matrix, a vector, a frozen vector and a buffer of integers. */
  private static final class Weights extends Module {
    final Parameter matrix = parameter("matrix", Tensor.randn(3, 4));
    final Parameter vector = parameter("vector", Tensor.randn(5));
    final Parameter frozen = parameter("frozen", Tensor.ones(2));

    Weights() {
      buffer("buffer", Tensor.ones(2).to(DType.INT64));
      frozen.freeze(true);
    }

    /** Sets gradients by a loss that is linear in the weights. */
    void gradients(Tensor ofMatrix, Tensor ofVector) {
      clearGrads();
      matrix.value().mul(ofMatrix).sum().add(vector.value().mul(ofVector).sum()).backward();
    }
  }

  /** Algorithm 2 of arXiv 1711.05101, one number at a time. */
  private static final class NaiveAdamW {
    final double[] w;
    final double[] m;
    final double[] v;
    int t;

    NaiveAdamW(double[] w) {
      this.w = w;
      this.m = new double[w.length];
      this.v = new double[w.length];
    }

    void step(double[] g, double rate, AdamW.Config c, double decay) {
      t++;
      for (int i = 0; i < w.length; i++) {
        m[i] = c.beta1() * m[i] + (1 - c.beta1()) * g[i];
        v[i] = c.beta2() * v[i] + (1 - c.beta2()) * g[i] * g[i];
        double mean = m[i] / (1 - Math.pow(c.beta1(), t));
        double square = v[i] / (1 - Math.pow(c.beta2(), t));
        w[i] -= rate * (mean / (Math.sqrt(square) + c.epsilon()) + decay * w[i]);
      }
    }
  }

  @Test
  void stepsAreThoseOfThePaper() {
    AdamW.Config config = new AdamW.Config(0.8, 0.95, 1e-4, 0.3);
    Weights weights = new Weights();
    NaiveAdamW matrix = new NaiveAdamW(weights.matrix.value().toDoubles());
    NaiveAdamW vector = new NaiveAdamW(weights.vector.value().toDoubles());
    try (AdamW optimizer = new AdamW(weights, config)) {
      for (int step = 1; step <= 12; step++) {
        double rate = 0.1 / step;
        Tensor ofMatrix = Tensor.randn(3, 4).mul(step % 3 == 0 ? 10 : 0.1);
        Tensor ofVector = Tensor.randn(5);
        weights.gradients(ofMatrix, ofVector);
        optimizer.step(rate);
        matrix.step(ofMatrix.toDoubles(), rate, config, config.weightDecay());
        vector.step(ofVector.toDoubles(), rate, config, 0);
        assertClose(matrix.w, weights.matrix.value(), 3e-6, "matrix after step " + step);
        assertClose(vector.w, weights.vector.value(), 3e-6, "vector after step " + step);
      }
      Map<String, Tensor> state = optimizer.state();
      assertClose(matrix.m, state.get("matrix.mean"), 1e-5);
      assertClose(vector.v, state.get("vector.square"), 1e-5);
      assertEquals(12, state.get("matrix.steps").item());
    }
    assertEquals(2, weights.frozen.value().sum().item(), "frozen weights do not move");
    assertTrue(weights.matrix.value().requiresGrad());
  }

  /** Gradient descent with momentum, one number at a time; its state continues exactly. */
  @ParameterizedTest
  @CsvSource({"0, false, 0", "0.9, false, 0", "0.9, false, 0.1", "0.8, true, 0.05"})
  void descentWithMomentumIsItsDefinition(double momentum, boolean nesterov, double decay) {
    Sgd.Config config = new Sgd.Config(momentum, nesterov, decay);
    Weights weights = new Weights();
    double[][] w = {weights.matrix.value().toDoubles(), weights.vector.value().toDoubles()};
    double[][] v = {new double[w[0].length], new double[w[1].length]};
    Optimizer optimizer = config.build(weights);
    for (int step = 1; step <= 12; step++) {
      double rate = 0.1 / step;
      Tensor[] g = {Tensor.randn(3, 4), Tensor.randn(5)};
      weights.gradients(g[0], g[1]);
      optimizer.step(rate);
      for (int k = 0; k < 2; k++) {
        double[] gradient = g[k].toDoubles();
        for (int i = 0; i < w[k].length; i++) {
          double slope = gradient[i] + (k == 0 ? decay * w[k][i] : 0); // vectors do not decay
          v[k][i] = momentum * v[k][i] + slope;
          w[k][i] -= rate * (nesterov ? slope + momentum * v[k][i] : v[k][i]);
        }
      }
      assertClose(w[0], weights.matrix.value(), 1e-5, "matrix after step " + step);
      assertClose(w[1], weights.vector.value(), 1e-5, "vector after step " + step);
      if (step == 6) {
        Optimizer other = config.build(weights);
        other.restore(optimizer.state());
        optimizer.close();
        optimizer = other;
      }
    }
    assertEquals(2, weights.frozen.value().sum().item(), "frozen weights do not move");
    optimizer.close();
  }

  @Test
  void anOptimizerWithoutATypeIsAdamW() {
    assertEquals(
        new AdamW.Config(0.9, 0.98, 1e-9, 1e-4),
        TrainerTest.training("'optimizer':{'beta2':0.98,'epsilon':1e-9,'weightDecay':1e-4}")
            .optimizer());
    assertEquals(
        new Sgd.Config(0.5, false, 0),
        TrainerTest.training("'optimizer':{'type':'sgd','momentum':0.5}").optimizer());
    assertThrows(IllegalArgumentException.class, () -> new Sgd.Config(1, false, 0));
    assertThrows(IllegalArgumentException.class, () -> new Sgd.Config(0, true, 0));
    assertThrows(IllegalArgumentException.class, () -> new Sgd.Config(0.9, false, -1));
  }

  @Test
  void weightsWithoutGradientStayAsTheyAre() {
    Weights weights = new Weights();
    try (AdamW optimizer = new AdamW(weights, new AdamW.Config())) {
      Tensor before = weights.matrix.value().detach().copy();
      optimizer.step(0.1);
      assertSame(before, weights.matrix.value(), "no gradients at all");
      weights.vector.value().sum().backward();
      optimizer.step(0.1);
      assertSame(before, weights.matrix.value(), "no gradient of the matrix");
      assertEquals(0, optimizer.state().get("matrix.steps").item());
      assertEquals(1, optimizer.state().get("vector.steps").item());
    }
  }

  @Test
  void aRestoredOptimizerGoesOnAsIfNothingHadHappened() {
    Weights a = new Weights();
    Weights b = new Weights();
    Tensor[] gradients = new Tensor[12];
    for (int i = 0; i < 12; i++) {
      gradients[i] = i % 2 == 0 ? Tensor.randn(3, 4) : Tensor.randn(5);
    }
    AdamW.Config config = new AdamW.Config();
    try (AdamW first = new AdamW(a, config);
        AdamW second = new AdamW(b, config)) {
      for (int step = 0; step < 6; step++) {
        if (step == 3) {
          a.parameters().forEach((name, p) -> b.parameters().get(name).copyFrom(p.value()));
          second.restore(first.state());
        }
        a.gradients(gradients[2 * step], gradients[2 * step + 1]);
        first.step(0.01);
        if (step >= 3) {
          b.gradients(gradients[2 * step], gradients[2 * step + 1]);
          second.step(0.01);
        }
      }
      a.parameters()
          .forEach((name, p) -> assertSame(p.value(), b.parameters().get(name).value(), name));
    }
  }

  @Test
  void anotherModelsStateIsRefusedAndNamed() {
    Weights weights = new Weights();
    try (AdamW optimizer = new AdamW(weights, new AdamW.Config())) {
      Map<String, Tensor> state = new LinkedHashMap<>(optimizer.state());
      Tensor mean = state.remove("matrix.mean");
      state.put("other.mean", mean);
      var error = assertThrows(IllegalArgumentException.class, () -> optimizer.restore(state));
      assertTrue(
          error.getMessage().contains("matrix.mean") && error.getMessage().contains("other.mean"),
          error.getMessage());
      Map<String, Tensor> wrong = new HashMap<>(optimizer.state());
      wrong.put("matrix.mean", Tensor.ones(1));
      var shape = assertThrows(IllegalArgumentException.class, () -> optimizer.restore(wrong));
      assertTrue(
          shape.getMessage().contains("[1]") && shape.getMessage().contains("[3x4]"),
          shape.getMessage());
      assertFalse(optimizer.state().get("matrix.mean").any(), "a refused state changes nothing");
    }
  }

  @Test
  void aWeightReplacedByAnotherShapeIsAnErrorNotACrash() {
    Weights weights = new Weights();
    try (AdamW optimizer = new AdamW(weights, new AdamW.Config())) {
      weights.vector.replace(Tensor.ones(4000));
      weights.vector.value().sum().backward();
      var error = assertThrows(IllegalStateException.class, () -> optimizer.step(0.1));
      assertTrue(error.getMessage().contains("vector"), error.getMessage());
    }
  }

  @Test
  void theStateOutlivesScopesUntilTheOptimizerIsClosed() {
    AdamW optimizer;
    try (Scope scope = Scope.open()) {
      optimizer = new AdamW(new Weights(), new AdamW.Config());
    }
    assertFalse(optimizer.state().get("vector.mean").isClosed());
    optimizer.close();
    assertTrue(optimizer.state().get("vector.mean").isClosed());
  }

  @Test
  void impossibleSettingsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(1, 0.9, 1e-8, 0));
    assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, -0.1, 1e-8, 0));
    assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, 0.9, 0, 0));
    assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, 0.9, 1e-8, -1));
    assertThrows(IllegalArgumentException.class, () -> new AdamW.Config(0.9, Double.NaN, 1e-8, 0));
  }

  // ---- Gradients

  @Test
  void gradientsAreClippedToTheirCommonNorm() {
    Weights weights = new Weights();
    Tensor ofMatrix = Tensor.randn(3, 4);
    Tensor ofVector = Tensor.randn(5);
    double sum = 0;
    for (double g : ofMatrix.toDoubles()) {
      sum += g * g;
    }
    for (double g : ofVector.toDoubles()) {
      sum += g * g;
    }
    double norm = Math.sqrt(sum);
    weights.gradients(ofMatrix, ofVector);
    List<Parameter> all = List.copyOf(weights.parameters().values());
    assertEquals(norm, Gradients.clip(all, norm * 1.01), 1e-5);
    assertClose(ofMatrix, weights.matrix.value().grad(), 0);
    assertEquals(norm, Gradients.clip(all, norm / 4), 1e-5);
    assertClose(ofMatrix.div(4), weights.matrix.value().grad(), 1e-5);
    assertClose(ofVector.div(4), weights.vector.value().grad(), 1e-5);
    assertEquals(norm / 4, Gradients.clip(all, 1e9), 1e-5);
  }

  @Test
  void brokenGradientsAreReportedAndNoneIsNorm0() {
    Weights weights = new Weights();
    List<Parameter> all = List.copyOf(weights.parameters().values());
    assertEquals(0, Gradients.clip(all, 1));
    weights.gradients(Tensor.randn(3, 4), Tensor.full(Double.NaN, DType.FLOAT32, 5));
    assertTrue(Double.isNaN(Gradients.clip(all, 1)));
    weights.gradients(Tensor.randn(3, 4), Tensor.full(1e30, DType.FLOAT32, 5));
    assertFalse(Double.isFinite(Gradients.clip(all, 1)), "the square overflows float32");
  }

  @Test
  void theOptimizerClipsWhatItTrains() {
    Weights weights = new Weights();
    try (AdamW optimizer = new AdamW(weights, new AdamW.Config())) {
      weights.gradients(Tensor.ones(3, 4), Tensor.ones(5).mul(2));
      assertEquals(Math.sqrt(12 + 20), optimizer.clipGradients(1), 1e-5);
      assertEquals(
          1 / Math.sqrt(32), weights.matrix.value().grad().select(0, 0).select(0, 0).item(), 1e-5);
    }
  }

  // ---- Moving average

  @Test
  void averagesFollowTheirRecurrence() {
    Weights weights = new Weights();
    double[] average = weights.vector.value().toDoubles();
    try (MovingAverage moving = new MovingAverage(weights, 0.3)) {
      for (int n = 1; n <= 8; n++) {
        weights.vector.copyFrom(Tensor.randn(5));
        double[] now = weights.vector.value().toDoubles();
        double decay = Math.min(0.3, (1.0 + n) / (10 + n));
        for (int i = 0; i < 5; i++) {
          average[i] = decay * average[i] + (1 - decay) * now[i];
        }
        moving.update(n);
        assertClose(average, moving.state().get("vector"), 1e-6);
      }
      assertFalse(moving.state().containsKey("buffer"), "integers have no average");
      double[] trained = weights.vector.value().toDoubles();
      moving.swap();
      assertClose(average, weights.vector.value(), 1e-6);
      moving.swap();
      assertClose(trained, weights.vector.value(), 0);
      assertTrue(weights.vector.value().requiresGrad());
    }
  }
}
