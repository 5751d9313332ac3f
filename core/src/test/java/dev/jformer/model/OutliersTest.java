package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class OutliersTest {
  @Test
  void kurtosisIsTheFourthStandardisedMoment() {
    Random random = new Random(1);
    double[] x = random.doubles(500, -1, 3).toArray();
    x[7] = 40;
    double mean = 0;
    for (double value : x) {
      mean += value / x.length;
    }
    double second = 0;
    double fourth = 0;
    for (double value : x) {
      second += Math.pow(value - mean, 2) / x.length;
      fourth += Math.pow(value - mean, 4) / x.length;
    }
    Tensor rows = Tensor.of(x, 1, x.length).to(DType.FLOAT64);
    assertEquals(fourth / (second * second), Outliers.kurtosis(rows).toDoubles()[0], 1e-9);
  }

  @Test
  void aChannelThatStandsOutIsSeen() {
    CausalLm.Config c = new CausalLm.Config();
    CausalLm model =
        c.with(x -> x.vocab(11).length(6).tied(true))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.bias(true).dropout(0))
            .build();
    List<Tensor> batches = List.of(Tensor.zeros(DType.INT64, 2, 6));
    Outliers plain = Outliers.afterAttention(model, batches);
    Tensor bias = Tensor.zeros(16);
    bias.narrow(0, 3, 1).copy_(Tensor.full(50, DType.FLOAT32, 1));
    model.parameters().get("blocks.0.mixer.out.bias").copyFrom(bias);
    Outliers outlier = Outliers.afterAttention(model, batches);
    assertEquals(50, outlier.maxNorm(), 1);
    assertTrue(plain.maxNorm() < 1, "" + plain);
    // One of sixteen channels at 50 and all others near 0 has a kurtosis of 14.07.
    double share = 1.0 / 16;
    double expected = (1 - 3 * share * (1 - share)) / (share * (1 - share));
    assertEquals(expected, outlier.kurtosis(), 0.1);
    assertEquals(50, Outliers.afterFfn(model, batches).maxNorm(), 1);
    assertTrue(model.isTraining(), "the model's mode is as it was");
  }
}
