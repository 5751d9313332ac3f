package dev.jformer.compress.quantize;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.model.CausalLm;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class StaticQuantizationTest {
  @ParameterizedTest
  @CsvSource({"-1, 3", "0, 5", "-2, 0", "0.5, 2", "-3, -1", "0, 0"})
  void activationsAreRoundedToAnAsymmetricGrid(double low, double high) {
    StaticQuantization.Range range = new StaticQuantization.Range(low, high);
    double[] x = new double[101];
    double[] expected = new double[x.length];
    double bottom = Math.min(low, 0);
    double span = Math.max(high, 0) - bottom;
    double scale = span == 0 ? 1 : span / 255;
    long zero = Math.round(-bottom / scale);
    for (int i = 0; i < x.length; i++) {
      x[i] = (i - 50) / (11 * Math.sqrt(2)); // never half way between two steps
      double integer = Math.max(0, Math.min(255, Math.rint(x[i] / scale) + zero));
      expected[i] = (integer - zero) * scale;
    }
    Tensor rounded = StaticQuantization.rounded(Tensor.of(x).to(DType.FLOAT32), range);
    assertClose(expected, rounded, 1e-5 + scale * 1e-3);
    assertEquals(0, StaticQuantization.rounded(Tensor.zeros(1), range).item(), "zero stays zero");
  }

  @Test
  void weightsAreRoundedToASymmetricGrid() {
    Tensor weight = Tensor.randn(7, 9);
    double scale = weight.abs().max().item() / 127;
    double[] values = weight.toDoubles();
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.rint(values[i] / scale) * scale;
    }
    assertClose(values, StaticQuantization.rounded(weight), 1e-5);
    assertTrue(StaticQuantization.rounded(Tensor.zeros(2, 2)).eq(0).all());
  }

  private static CausalLm model() {
    CausalLm.Config c = new CausalLm.Config();
    CausalLm model =
        c.with(x -> x.vocab(11).length(6).tied(true))
            .withStack(s -> s.layers(2).width(32))
            .withBlock(b -> b.bias(true).dropout(0))
            .build();
    model.train(false);
    return model;
  }

  @Test
  void aModelIsNearWhatItWasAndTheSameAfterwards() {
    CausalLm model = model();
    Tensor ids = Tensor.randint(0, 11, 3, 6);
    try (Mode mode = Autograd.noGrad()) {
      Tensor exact = model.logits(ids);
      Map<String, Module> before = new LinkedHashMap<>(model.modules());
      try (StaticQuantization quantized = StaticQuantization.of(model, () -> model.logits(ids))) {
        assertEquals(before.get("inputNorm"), model.modules().get("inputNorm"), "no norm is there");
        assertNotEquals(before.get("norm"), model.modules().get("norm"), "the last norm");
        Tensor rounded = model.logits(ids);
        double difference = rounded.sub(exact).abs().max().item();
        assertTrue(difference > 0, "numbers were rounded");
        assertTrue(difference < 0.05 * exact.abs().max().item(), "by " + difference);
        double[] distinct =
            java.util.Arrays.stream(
                    model.parameters().get("blocks.0.ffn.up.weight") == null
                        ? new double[0]
                        : model.parameters().get("blocks.0.ffn.up.weight").value().toDoubles())
                .distinct()
                .toArray();
        assertTrue(distinct.length <= 255, "at most 255 values: " + distinct.length);
      }
      assertTrue(exact.sameAs(model.logits(ids)));
      assertEquals(before, model.modules());
    }
  }

  /** Ranges are measured in inference mode, whatever mode the model is in. */
  @Test
  void calibrationSeesNoDropout() {
    CausalLm model = model();
    model.train(true);
    boolean[] seen = new boolean[1];
    try (StaticQuantization quantized =
        StaticQuantization.of(
            model,
            () -> {
              seen[0] = model.isTraining();
              model.logits(Tensor.zeros(DType.INT64, 1, 3));
            })) {
      assertFalse(seen[0]);
      assertTrue(model.isTraining());
    }
  }

  @Test
  void refusesEmptyAndBrokenCalibration() {
    CausalLm model = model();
    var empty =
        assertThrows(IllegalArgumentException.class, () -> StaticQuantization.of(model, () -> {}));
    assertTrue(empty.getMessage().contains("empty"), empty.getMessage());
    model
        .parameters()
        .get("blocks.0.ffn.up.weight")
        .copyFrom(Tensor.full(Double.NaN, DType.FLOAT32, 128, 32));
    Tensor ids = Tensor.zeros(DType.INT64, 1, 3);
    Map<String, Module> before = new LinkedHashMap<>(model.modules());
    var broken =
        assertThrows(
            IllegalArgumentException.class,
            () -> StaticQuantization.of(model, () -> model.logits(ids)));
    assertTrue(broken.getMessage().contains("blocks.0"), broken.getMessage());
    assertEquals(before, model.modules());
  }
}
