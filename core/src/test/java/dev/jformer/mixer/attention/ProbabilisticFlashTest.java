package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ProbabilisticFlashTest {
  private static ProbabilisticFlash mixer(
      BlockContext context, int groups, double p, boolean always) {
    return (ProbabilisticFlash)
        new ProbabilisticFlash.Config(2, groups, 3, p, always).build(context, new NoPosition());
  }

  /** Blocks that take part are all that is seen, forward and backward. */
  @Test
  void matchesTheDefinition() {
    for (BlockContext context : new BlockContext[] {Sites.causal(4), Sites.bidirectional(4)}) {
      for (int length : new int[] {1, 3, 10}) {
        ProbabilisticFlash mixer = mixer(context, 1, 0.5, false);
        int count = (length + 2) / 3;
        boolean[][] drawn = new boolean[count][count];
        for (int i = 0; i < count; i++) {
          for (int j = 0; j < count; j++) {
            drawn[i][j] = i == j || ((!context.causal() || j < i) && (i + 2 * j) % 3 != 0);
          }
        }
        NaiveAttention naive =
            new NaiveAttention(2, 1, context.causal())
                .with(
                    (head, query, key) -> drawn[query / 3][key / 3] ? 0 : Double.NEGATIVE_INFINITY);
        ModuleChecks.matches(
            mixer,
            x -> joined(mixer, mixer.blocks(mixer.project(x, null, null), null, drawn)),
            naive,
            Tensor.randn(2, length, 4).to(DType.FLOAT64));
      }
    }
  }

  private static Tensor joined(ProbabilisticFlash mixer, Tensor result) {
    Tensor side = result.transpose(1, 2).flatten(2, 3);
    return dev.jformer.tensor.Functional.linear(
        side,
        mixer.parameters().get("out.weight").value(),
        mixer.parameters().get("out.bias").value());
  }

  @Test
  void isExactWithProbabilityOneAndInInference() {
    for (BlockContext context : new BlockContext[] {Sites.causal(8), Sites.bidirectional(8)}) {
      ProbabilisticFlash some = mixer(context, 0, 0.5, false);
      ProbabilisticFlash all = mixer(context, 0, 1, true);
      TokenMixer exact = new SoftmaxAttention.Config(2, 0).build(context, new NoPosition());
      some.parameters()
          .forEach(
              (name, p) -> {
                all.parameters().get(name).copyFrom(p.value().detach());
                exact.parameters().get(name).copyFrom(p.value().detach());
              });
      try (Mode mode = Autograd.noGrad()) {
        Tensor x = Tensor.randn(2, 31, 8);
        assertSame(exact.forward(x, null), all.forward(x, null), "p = 1");
        assertFalse(exact.forward(x, null).sameAs(some.forward(x, null)), "p = 0.5 in training");
        some.train(false);
        assertSame(exact.forward(x, null), some.forward(x, null), "p = 0.5 in inference");
      }
    }
  }

  /** Blocks δ away take part in a share p^δ of passes, the diagonal in all. */
  @Test
  void farBlocksTakePartMoreRarely() {
    ProbabilisticFlash mixer = mixer(Sites.causal(4), 0, 0.5, true);
    int length = 12;
    int passes = 2000;
    try (Mode mode = Autograd.noGrad()) {
      Tensor zero = Tensor.zeros(1, 2, length, 2);
      Tensor eye = Tensor.ones(length, length).tril(0).triu(0);
      Tensor values = eye.view(1, 1, length, length).expand(1, 2, length, length);
      Tensor seen = Tensor.zeros(length);
      for (int i = 0; i < passes; i++) {
        Tensor y =
            mixer.attend(
                new Attention.Heads(zero, zero, values),
                new AttentionMask(0, true, null, new NoPosition()));
        seen = seen.add(y.select(0, 0).select(0, 0).select(0, length - 1).gt(0).to(DType.FLOAT32));
      }
      double[] share = seen.div(passes).toDoubles();
      for (int j = 0; j < length; j++) {
        double wanted = Math.pow(0.5, 3 - j / 3);
        double error = Math.sqrt(wanted * (1 - wanted) / passes);
        assertTrue(Math.abs(share[j] - wanted) <= 5 * error, j + ": " + share[j]);
      }
    }
  }

  @Test
  void isCausalStreamsAndIgnoresPadding() {
    MixerChecks.causal(mixer(Sites.causal(8), 0, 0.5, false), 8);
    MixerChecks.streams(mixer(Sites.causal(8), 1, 0.5, false), 8);
    MixerChecks.ignoresPadding(mixer(Sites.causal(8), 0, 0.5, false), 8);
    MixerChecks.ignoresPadding(mixer(Sites.bidirectional(8), 0, 0.5, false), 8);
    ProbabilisticFlash mixer = mixer(Sites.causal(8), 0, 0.5, false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(1, 20, 8);
      Tensor other = Tensor.cat(1, x.narrow(1, 0, 7), Tensor.randn(1, 13, 8).mul(100));
      Random.seed(2);
      Tensor y = mixer.forward(x, null);
      Random.seed(2);
      assertSame(y.narrow(1, 0, 7), mixer.forward(other, null).narrow(1, 0, 7), "in training, too");
    }
  }
}
