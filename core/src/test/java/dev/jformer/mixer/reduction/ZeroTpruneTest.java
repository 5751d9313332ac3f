package dev.jformer.mixer.reduction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Cases that can be told by eye; {@link TokenReducingAttentionTest} holds it to its definition. */
class ZeroTpruneTest {
  private static double[] scores(Tensor attention, Tensor key, double similar) {
    var input = new TokenReducer.ReductionInput(attention, key, null, 0.5, false, 0, 3);
    return new ZeroTprune(List.of(5, 3, 1), 0, 99, similar).reduce(input).scores().toDoubles();
  }

  @Test
  void theTokenThatAllAttendToMattersMost() {
    Tensor attention = Tensor.of(new float[] {0.1f, 0.1f, 0.7f, 0.1f}, 1, 1, 1, 4);
    double[] scores = scores(attention.expand(1, 1, 4, 4).contiguous(), Tensor.rand(1, 1, 4, 2), 0);
    for (int token : new int[] {0, 1, 3}) {
      assertTrue(scores[2] > scores[token], "token " + token);
    }
  }

  @Test
  void ofTwoTokensThatAreAlikeTheLesserLeaves() {
    Tensor attention = Tensor.of(new float[] {0.2f, 0.1f, 0.4f, 0.3f}, 1, 1, 1, 4);
    Tensor key = Tensor.of(new float[] {0, 1, 1, 0, 1, 0.01f, -1, 0}, 1, 1, 4, 2);
    double[] scores = scores(attention.expand(1, 1, 4, 4).contiguous(), key, 0.5);
    assertEquals(-1, scores[1], "token 1 has the key of token 2");
    assertTrue(scores[0] >= 0 && scores[2] >= 0 && scores[3] >= 0);
  }
}
