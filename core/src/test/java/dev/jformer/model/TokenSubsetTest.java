package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.GatedAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.recurrent.Lstm;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.Alibi;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Stacks whose last block computes some tokens only, beside the same stacks on all tokens. */
class TokenSubsetTest {
  private static TransformerStack<Block> stack(
      TokenMixer.Config mixer, Position.Config position, NormPlacement placement, boolean causal) {
    Random.seed(3);
    StackConfig config =
        new StackConfig()
            .withLayers(2)
            .withWidth(16)
            .withPosition(position)
            .withBlock(new BlockConfig().withMixer(mixer).withPlacement(placement));
    return TransformerStack.of(config, new TransformerStack.Setting(129).withCausal(causal));
  }

  private static final List<TokenSubset> SUBSETS =
      List.of(TokenSubset.even(), new TokenSubset(1, 3), TokenSubset.only(0));

  private static void assertSame(TransformerStack<Block> stack, long length, TokenSubset tokens) {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.randn(3, length, 16);
      Tensor all = tokens.of(stack.forward(x, null, null), 1);
      Tensor weights = Tensor.randn(all.shape().toArray());
      all.mul(weights).sum().backward();
      Map<String, float[]> expected = gradients(stack);
      Tensor some = stack.forwardAt(x, tokens);
      some.mul(weights).sum().backward();
      assertEquals(all.shape(), some.shape());
      assertArrayEquals(
          all.detach().contiguous().toFloats(), some.detach().contiguous().toFloats(), 2e-5f);
      Map<String, float[]> found = gradients(stack);
      assertEquals(expected.keySet(), found.keySet());
      expected.forEach(
          (name, values) -> {
            float largest = 1;
            for (float value : values) {
              largest = Math.max(largest, Math.abs(value));
            }
            assertArrayEquals(values, found.get(name), 5e-5f * largest, name);
          });
      try (Mode mode = Autograd.inference()) {
        assertArrayEquals(
            all.detach().contiguous().toFloats(),
            stack.forwardAt(x, tokens).contiguous().toFloats(),
            2e-5f);
      }
    }
  }

  private static Map<String, float[]> gradients(TransformerStack<Block> stack) {
    Map<String, float[]> all = new LinkedHashMap<>();
    stack
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (parameter.value().grad() != null) {
                all.put(name, parameter.value().grad().contiguous().toFloats());
              }
            });
    stack.clearGrads();
    return all;
  }

  @Test
  void givesWhatTheWholeSequenceGives() {
    SoftmaxAttention.Config plain = new SoftmaxAttention.Config(4, 0);
    try (TransformerStack<Block> stack =
        stack(plain, new LearnedPosition.Config(), NormPlacement.PRE, true)) {
      for (long length : new long[] {2, 63, 64, 65, 128, 129}) {
        SUBSETS.forEach(tokens -> assertSame(stack, length, tokens));
        assertSame(stack, length, TokenSubset.only(length - 1));
      }
    }
  }

  @Test
  void holdsForAllMixersAndPositions() {
    SoftmaxAttention.Config plain = new SoftmaxAttention.Config(4, 0);
    Position.Config none = new LearnedPosition.Config();
    for (boolean causal : new boolean[] {true, false}) {
      for (NormPlacement placement : NormPlacement.values()) {
        check(plain, none, placement, causal);
      }
      check(new SoftmaxAttention.Config(4, 2), new Rope.Config(), NormPlacement.PRE, causal);
      check(plain, new Alibi.Config(), NormPlacement.PRE, causal);
      check(plain.withWindow(5), none, NormPlacement.PRE, causal);
      check(plain.withLogitCap(2), none, NormPlacement.PRE, causal);
      check(plain.withScale(0.3), none, NormPlacement.PRE, causal);
    }
    check(new GatedAttention.Config(), none, NormPlacement.PRE, true);
    check(new Lstm.Config(), none, NormPlacement.PRE, true);
  }

  private static void check(
      TokenMixer.Config mixer, Position.Config position, NormPlacement placement, boolean causal) {
    try (TransformerStack<Block> stack = stack(mixer, position, placement, causal)) {
      SUBSETS.forEach(tokens -> assertSame(stack, 20, tokens));
    }
  }

  /** Those who collect hidden states get all tokens of all blocks. */
  @Test
  void collectorsSeeAllTokens() {
    try (TransformerStack<Block> stack =
            stack(
                new SoftmaxAttention.Config(4, 0),
                new LearnedPosition.Config(),
                NormPlacement.PRE,
                true);
        Scope scope = Scope.open();
        HiddenStates states = HiddenStates.collect()) {
      Tensor some = stack.forwardAt(Tensor.randn(2, 10, 16), TokenSubset.even());
      assertEquals(5, some.size(1));
      assertEquals(2, states.stacks().get(0).layers().size());
      assertEquals(10, states.stacks().get(0).last().size(1));
    }
  }

  @Test
  void refusesWhatCannotBe() {
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> new TokenSubset(-1, 2))
            .getMessage()
            .contains("first"));
    assertThrows(IllegalArgumentException.class, () -> new TokenSubset(0, 0));
  }
}
