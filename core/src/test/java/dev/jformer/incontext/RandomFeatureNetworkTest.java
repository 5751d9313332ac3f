package dev.jformer.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class RandomFeatureNetworkTest {
  @Test
  void weightsOfBandlimitedNetworksStayInTheBand() {
    RandomFeatureNetwork network = RandomFeatureNetwork.bandlimited(1000, 1, 3, 5);
    Tensor inputs = Tensor.of(new double[] {0, 1}, 2, 1);
    double[] features = network.features(inputs).mul(Math.sqrt(1000)).toDoubles();
    double widest = 0;
    for (int i = 0; i < 1000; i++) {
      double bias = -atanh(features[i]);
      double weight = atanh(features[1000 + i]) + bias;
      widest = Math.max(widest, Math.max(Math.abs(bias), Math.abs(weight)));
    }
    assertEquals(2.99, widest, 0.011);
  }

  private static double atanh(double x) {
    return 0.5 * Math.log((1 + x) / (1 - x));
  }

  @Test
  void rectifiedFeaturesAreThoseOfTheDefinition() {
    RandomFeatureNetwork network = RandomFeatureNetwork.rectified(9, 4, 3);
    Random.seed(3);
    double[] weights = Tensor.randn(4, 9).to(DType.FLOAT64).toDoubles();
    double[] biases = Tensor.randn(9).to(DType.FLOAT64).toDoubles();
    double[] x = {0.3, -1, 2, 0.7};
    double[] found = network.features(Tensor.of(x, 1, 4)).toDoubles();
    for (int m = 0; m < 9; m++) {
      double sum = -0.5 * biases[m];
      for (int i = 0; i < 4; i++) {
        sum += 0.5 * weights[i * 9 + m] * x[i];
      }
      assertEquals(Math.max(0, sum) / 3, found[m], 1e-6);
    }
  }
}
