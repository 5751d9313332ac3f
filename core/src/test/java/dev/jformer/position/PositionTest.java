package dev.jformer.position;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PositionTest {
  @Test
  void sinusoidsAreThoseOfThePaper() {
    int width = 10;
    Position position = new Sinusoidal.Config().build(width, 2, 5, 16);
    Tensor x = Tensor.randn(2, 200, width).to(DType.FLOAT64);
    double[] expected = x.toDoubles();
    for (int i = 0; i < expected.length; i++) {
      int channel = i % width;
      int p = 30 + i / width % 200;
      double angle = p / Math.pow(10_000, (channel - channel % 2) / (double) width);
      expected[i] += channel % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
    }
    assertClose(expected, position.embed(x, 30), 1e-7);
  }

  @Test
  void sinusoidsScaleEmbeddingsIfAsked() {
    Position position = new Sinusoidal.Config(10_000, true).build(4, 1, 4, 16);
    Tensor x = Tensor.ones(1, 1, 4);
    assertClose(new double[] {2, 3, 2, 3}, position.embed(x, 0), 1e-6);
  }

  @Test
  void rotationsAreThoseOfThePaper() {
    int d = 6;
    Position position = new Rope.Config(50).build(12, 2, d, 16);
    Tensor x = Tensor.randn(2, 3, 90, d).to(DType.FLOAT64);
    double[] in = x.toDoubles();
    double[] expected = new double[in.length];
    for (int row = 0; row < in.length / d; row++) {
      int p = 7 + row % 90;
      for (int i = 0; i < d / 2; i++) {
        double angle = p * Math.pow(50, -2.0 * i / d);
        double a = in[row * d + i];
        double b = in[row * d + i + d / 2];
        expected[row * d + i] = a * Math.cos(angle) - b * Math.sin(angle);
        expected[row * d + i + d / 2] = a * Math.sin(angle) + b * Math.cos(angle);
      }
    }
    assertClose(expected, position.rotate(x, 7), 1e-6);
  }

  @Test
  void rotatedProductsDependOnTheDistanceOnly() {
    int d = 16;
    Position position = new Rope.Config().build(d, 1, d, 1000);
    Tensor query = Tensor.randn(1, 1, 1, d).to(DType.FLOAT64).expand(1, 1, 40, d);
    Tensor key = Tensor.randn(1, 1, 1, d).to(DType.FLOAT64).expand(1, 1, 40, d);
    Tensor logits = position.rotate(query, 0).matmul(position.rotate(key, 0).t());
    double[] l = logits.toDoubles();
    for (int t = 1; t < 40; t++) {
      for (int s = 1; s < 40; s++) {
        assertEquals(l[(t - 1) * 40 + s - 1], l[t * 40 + s], 1e-5, t + " " + s);
      }
    }
    assertClose(logits, position.rotate(query, 900).matmul(position.rotate(key, 900).t()), 1e-5);
    assertTrue(Math.abs(l[0] - l[1]) > 1e-3, "another distance gives another product");
    // Position 0 is not rotated, and lengths are kept.
    assertSame(query.narrow(2, 0, 1), position.rotate(query.narrow(2, 0, 1), 0), "position 0");
    assertEquals(query.norm().item(), position.rotate(query, 5).norm().item(), 1e-5);
  }

  @Test
  void rotationsKeepTheirTableAcrossScopesModesAndLengths() {
    Position position = new Rope.Config().build(8, 1, 8, 4);
    Tensor x = Tensor.randn(1, 1, 70, 8);
    Tensor first;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      first = position.rotate(x.narrow(2, 0, 3), 0).keep();
    }
    Tensor whole = position.rotate(x, 0);
    assertSame(first, whole.narrow(2, 0, 3), "the first three positions");
    first.close();
    Tensor leaf = Tensor.randn(1, 1, 3, 8).requiresGrad(true);
    position.rotate(leaf, 0).sum().backward();
    assertTrue(leaf.grad().isFinite().all());
  }

  @Test
  void slopesAreThePublishedOnes() {
    double[] eight = new double[8];
    for (int h = 0; h < 8; h++) {
      eight[h] = Math.pow(2, -(h + 1));
    }
    assertArrayEquals(eight, Alibi.slopes(8), 1e-15);
    // Of the authors' get_slopes(12): those of 8 heads, then every other one of 16 heads.
    double[] twelve = {
      0.5,
      0.25,
      0.125,
      0.0625,
      0.03125,
      0.015625,
      0.0078125,
      0.00390625,
      0.7071067811865476,
      0.35355339059327384,
      0.17677669529663692,
      0.08838834764831849
    };
    assertArrayEquals(twelve, Alibi.slopes(12), 1e-15);
    assertArrayEquals(new double[] {1.0 / 256}, Alibi.slopes(1), 1e-15);
    assertArrayEquals(new double[] {1.0 / 16, 1.0 / 256, 1.0 / 4}, Alibi.slopes(3), 1e-15);
  }

  @Test
  void biasesAreSlopeTimesDistance() {
    Position position = new Alibi.Config().build(16, 4, 4, 8);
    Tensor bias = position.bias(3, 2, 5, true);
    double[] expected = new double[4 * 2 * 5];
    for (int h = 0; h < 4; h++) {
      for (int q = 0; q < 2; q++) {
        for (int k = 0; k < 5; k++) {
          expected[(h * 2 + q) * 5 + k] = -Math.pow(4, -(h + 1)) * Math.abs(3 + q - k);
        }
      }
    }
    assertEquals("[4x2x5]", bias.shape().toString());
    assertClose(expected, bias, 1e-7);
  }

  @Test
  void masksHoldTheBiasesOfPairsThatMayMeet() {
    Position position = new Alibi.Config().build(16, 4, 4, 8);
    double[] bias = position.bias(3, 2, 5, true).toDoubles();
    double[] expected = bias.clone();
    for (int h = 0; h < 4; h++) {
      expected[h * 10 + 4] = Double.NEGATIVE_INFINITY; // the query at 3 and the key at 4
    }
    assertClose(expected, position.sharedMask(3, 2, 5, true), 0);
    assertClose(bias, position.sharedMask(3, 2, 5, false), 0);
    assertNull(new NoPosition().sharedMask(0, 3, 3, true));
  }

  /** Counts how often its biases are made, each of a learned weight. */
  private static final class Counting extends Position {
    private final Parameter weight = parameter("weight", Tensor.ones(1));
    private int made;

    @Override
    public Tensor bias(long start, long queries, long keys, boolean causal) {
      made++;
      return Tensor.ones(1, queries, keys).mul(weight.value());
    }
  }

  @Test
  void aPassMakesEachBiasOnceWhicheverScopeItIsIn() {
    Counting position = new Counting();
    Tensor loss;
    Tensor mask;
    try (Position.Pass pass = position.pass()) {
      try (Scope scope = Scope.open()) {
        mask = position.sharedMask(0, 3, 3, true);
      }
      assertSame(mask, position.sharedMask(0, 3, 3, true), "the mask, out of its scope");
      assertEquals(1, position.made);
      try (Mode mode = Autograd.noGrad()) {
        assertFalse(position.sharedBias(0, 3, 3, true).requiresGrad());
      }
      loss = position.sharedBias(0, 3, 3, true).sum();
      loss = loss.add(position.sharedBias(0, 3, 3, true).sum());
      assertEquals(3, position.made, "without gradients and with them are two");
      position.sharedBias(1, 2, 3, true);
      assertEquals(4, position.made, "other pairs have another bias");
    }
    assertTrue(mask.isClosed(), "a pass releases what was made in it");
    loss.backward();
    assertEquals(18, position.weight.value().grad().item(), "gradients outlive the pass");
    try (Position.Pass pass = position.pass()) {
      try (Mode mode = Autograd.noGrad()) {
        position.weight.value().mul_(2);
      }
      assertEquals(18, position.sharedBias(0, 3, 3, true).sum().item(), "the weight changed");
    }
    position.sharedBias(0, 3, 3, true);
    position.sharedBias(0, 3, 3, true);
    assertEquals(7, position.made, "without a pass each call makes its own");
  }

  @Test
  void learnedVectorsAreAddedWhereTheyBelong() {
    Position position = new LearnedPosition.Config(0.5).build(6, 1, 6, 10);
    Tensor table = position.parameters().get("weight").value();
    assertEquals("[10x6]", table.shape().toString());
    Tensor x = Tensor.randn(2, 3, 6);
    double[] expected = x.toDoubles();
    double[] vectors = table.toDoubles();
    for (int i = 0; i < expected.length; i++) {
      expected[i] += vectors[4 * 6 + i % 18];
    }
    assertClose(expected, position.embed(x, 4), 1e-6);
    position.embed(x, 4).sum().backward();
    double[] gradient = table.grad().sum(1, false).toDoubles();
    assertArrayEquals(new double[] {0, 0, 0, 0, 12, 12, 12, 0, 0, 0}, gradient, 1e-6);
  }

  @Test
  void eachActsInItsOwnPlaceOnly() {
    Tensor x = Tensor.randn(1, 5, 8);
    Tensor heads = Tensor.randn(1, 2, 5, 4);
    Configs.parts(Position.Config.class)
        .forEach(
            (name, config) -> {
              Position position = config.build(8, 2, 4, 16);
              boolean embeds = !position.embed(x, 1).sameAs(x);
              boolean rotates = !position.rotate(heads, 1).sameAs(heads);
              Tensor bias = position.bias(0, 5, 5, true);
              switch (name) {
                case "none" -> assertFalse(embeds || rotates || bias != null);
                case "learned", "shifted", "sinusoidal" ->
                    assertTrue(embeds && !rotates && bias == null);
                case "rope" -> assertTrue(rotates && !embeds && bias == null);
                case "alibi", "t5" -> assertTrue(bias != null && !embeds && !rotates);
                default -> {}
              }
              boolean hasTable = List.of("learned", "shifted", "combined").contains(name);
              assertEquals(!hasTable, position.extrapolates(), name);
            });
    assertNull(new NoPosition.Config().build(8, 2, 4, 16).bias(0, 3, 3, true));
  }

  @Test
  void refusesWidthsItCannotServe() {
    var odd =
        assertThrows(IllegalArgumentException.class, () -> new Rope.Config().build(6, 2, 3, 8));
    assertTrue(odd.getMessage().contains("3"), odd.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Sinusoidal.Config().build(5, 1, 5, 8));
    for (double base : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThrows(IllegalArgumentException.class, () -> new Rope.Config(base), "base " + base);
      assertThrows(
          IllegalArgumentException.class, () -> new Sinusoidal.Config(base, false), "base " + base);
    }
    assertThrows(IllegalArgumentException.class, () -> new LearnedPosition.Config(-0.1));
  }
}
