package dev.jformer.adapt;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class IncrementalPcaTest {
  private static Tensor matrix(JsonNode rows) {
    double[] values = new double[rows.size() * rows.get(0).size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows.get(i / rows.get(0).size()).get(i % rows.get(0).size()).asDouble();
    }
    return Tensor.of(values, rows.size(), rows.get(0).size());
  }

  private static Tensor vector(JsonNode numbers) {
    double[] values = new double[numbers.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers.get(i).asDouble();
    }
    return Tensor.of(values, values.length);
  }

  @Test
  void equalsScikitLearnAfterEachBatch() throws IOException {
    JsonNode fixture =
        new JsonMapper().readTree(getClass().getResourceAsStream("incremental-pca.json"));
    try (IncrementalPca pca = new IncrementalPca(fixture.get("count").asInt(), true)) {
      for (int i = 0; i < fixture.get("batches").size(); i++) {
        assertTrue(pca.add(matrix(fixture.get("batches").get(i))));
        JsonNode after = fixture.get("after").get(i);
        Tensor theirs = matrix(after.get("components"));
        Tensor signs = theirs.mul(pca.components()).sum(1, true).sign(); // ours are settled anew
        assertClose(theirs.mul(signs), pca.components(), 1e-9);
        assertClose(vector(after.get("singularValues")), pca.singularValues(), 1e-9);
        assertClose(
            vector(after.get("explainedVarianceRatio")), pca.explainedVarianceRatio(), 1e-9);
        assertClose(vector(after.get("mean")), pca.mean(), 1e-9);
        Tensor largest = pca.components().abs().argmax(1).unsqueeze(1);
        assertTrue(pca.components().gather(1, largest).gt(0).all());
      }
    }
  }

  /** Inputs like those of a layer: a spectrum that falls slowly, a mean, more rows than columns. */
  private static Tensor inputs(long rows, long width) {
    Tensor scale = Tensor.arange(1, width + 1).to(DType.FLOAT32).pow(-0.5);
    Tensor mixing = Tensor.randn(width, width).div(Math.sqrt((double) width));
    return Tensor.randn(rows, width).mul(scale).matmul(mixing).add(2);
  }

  @ParameterizedTest
  @ValueSource(longs = {129, 200, 300})
  void explainsAsMuchAsAnExactAnalysisOfAllRows(long width) {
    Random.seed(width);
    Tensor all = inputs(1200, width);
    int count = 16;
    try (IncrementalPca pca = new IncrementalPca(count, false)) {
      for (Tensor batch : all.split(0, 400, 300, 500)) {
        assertTrue(pca.add(batch));
      }
      Tensor centred = all.to(DType.FLOAT64).sub(all.to(DType.FLOAT64).mean(0, true));
      Tensor singular = Operator.named("aten::linalg_svdvals").call(centred, null);
      double best = singular.narrow(0, 0, count).square().sum().item();
      double found = centred.matmul(pca.components().t()).square().sum().item();
      assertTrue(found >= 0.99 * best, found / best + " of the variance of an exact analysis");
      Tensor gram = pca.components().matmul(pca.components().t());
      assertClose(eye(count), gram, 1e-9);
      double total = centred.square().sum().item();
      assertEquals(found / total, pca.explainedVarianceRatio().sum().item(), 0.01 * found / total);
    }
  }

  private static Tensor eye(int n) {
    return Tensor.ones(n, n).to(DType.FLOAT64).tril(0).triu(0);
  }

  @Test
  void waitsForEnoughRows() {
    try (IncrementalPca pca = new IncrementalPca(5, false)) {
      assertFalse(pca.add(Tensor.randn(4, 8)));
      assertFalse(pca.hasData());
      assertTrue(pca.add(Tensor.randn(5, 8)));
      assertTrue(pca.add(Tensor.randn(1, 8)));
      assertFalse(pca.add(Tensor.zeros(0, 8)));
    }
  }
}
