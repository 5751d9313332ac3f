package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class AttentionWeightsTest {
  private static CausalLm model() {
    String json =
        "{'model':'causal-lm','layers':2,'width':12,'vocab':10,'length':130,'mixer':{'heads':3}}"
            .replace('\'', '"');
    return Weights.draw((CausalLm) Configs.parse(json, Model.Config.class).build());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 65, 129})
  void rowsSumToOneAndSeeNothingLater(int length) {
    double[][][][] means = AttentionWeights.means(model(), Tensor.randint(0, 10, 3, length));
    assertEquals(2, means.length);
    for (double[][][] layer : means) {
      assertEquals(3, layer.length);
      for (double[][] head : layer) {
        assertEquals(length, head.length);
        for (int t = 0; t < length; t++) {
          double sum = 0;
          for (int s = 0; s < length; s++) {
            sum += head[t][s];
            assertTrue(s <= t || head[t][s] == 0, "token " + t + " sees " + s);
          }
          assertEquals(1, sum, 1e-5);
        }
      }
    }
  }

  @Test
  void meansAreThoseOfSingleSequences() {
    CausalLm model = model();
    model.train(true);
    Tensor ids = Tensor.randint(0, 10, 2, 7);
    double[][][][] both = AttentionWeights.means(model, ids);
    double[][][][] first = AttentionWeights.means(model, ids.narrow(0, 0, 1));
    double[][][][] second = AttentionWeights.means(model, ids.narrow(0, 1, 1));
    assertTrue(model.isTraining(), "measuring changes nothing");
    double[][] entropies = AttentionEntropy.entropies(model, ids.narrow(0, 0, 1));
    double differs = 0;
    for (int layer = 0; layer < 2; layer++) {
      for (int head = 0; head < 3; head++) {
        double entropy = 0;
        for (int t = 0; t < 7; t++) {
          for (int s = 0; s < 7; s++) {
            double one = first[layer][head][t][s];
            assertEquals((one + second[layer][head][t][s]) / 2, both[layer][head][t][s], 1e-6);
            entropy -= one > 0 ? one * Math.log(one) / 7 : 0;
            differs = Math.max(differs, Math.abs(one - second[layer][head][t][s]));
          }
        }
        assertEquals(entropies[layer][head], entropy, 1e-5);
      }
    }
    assertTrue(differs > 1e-3, "the sequences differ");
  }
}
