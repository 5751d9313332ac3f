package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.shift.DenseShiftLinear;
import dev.jformer.nn.shift.RoundedShiftLinear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The count of frozen weights (arXiv 2208.09708) on weights that are moved by hand. */
@ExtendWith(Scoped.class)
class WeightFreezingTest {
  private static void set(Layer layer, String name, float... values) {
    Tensor weight = layer.parameters().get(name).value().detach();
    weight.copy_(Tensor.of(values, weight.shape().toArray()));
  }

  @Test
  void countsWhatNeverChanged() {
    Layer layer = new DenseShiftLinear.Config(2).build(4, 1, false, Initializer.normal(1));
    set(layer, "sign", 1, 1, -1, -1);
    set(layer, "shifts", 1, -1, 1, -1);
    WeightFreezing freezing = new WeightFreezing(layer);
    assertEquals(1, freezing.weights());
    set(layer, "sign", -1, 2, -1, -1); // the first changes its sign
    freezing.look();
    set(layer, "sign", 1, 1, -1, -1); // and back: it did change
    set(layer, "shifts", 2, 1, -1, -2); // the second and third their exponents
    freezing.look();
    assertEquals(0.75, freezing.signs());
    assertEquals(0.5, freezing.shifts());
    assertEquals(0.25, freezing.weights());
  }

  @Test
  void zeroHasNoSign() {
    Layer layer = new RoundedShiftLinear.Config(3).build(4, 1, false, Initializer.normal(1));
    set(layer, "step", 1);
    set(layer, "latent", 0.1f, 1, 1, 2);
    WeightFreezing freezing = new WeightFreezing(layer);
    set(layer, "latent", -1, 0, 0, 2); // from zero, to zero, to zero
    freezing.look();
    assertEquals(1, freezing.signs());
    assertEquals(0.25, freezing.shifts());
    set(layer, "latent", -1, 1, -1, 2.9f); // the third comes out at the other side
    freezing.look();
    assertEquals(0.75, freezing.signs());
    assertEquals(0.25, freezing.weights());
  }

  @Test
  void plainModelsHaveNothingToCount() {
    Layer layer = new Linear(4, 2, false, Initializer.normal(1));
    assertThrows(IllegalArgumentException.class, () -> new WeightFreezing(layer));
  }
}
