package dev.jformer.mixer.attention;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class SubsampledAttentionTest {
  private static SubsampledAttention mixer(
      BlockContext context, SubsampledAttention.Config config) {
    return (SubsampledAttention) config.build(context, new NoPosition());
  }

  private static SubsampledAttention.Config config(
      int groups, SubsampledAttention.Kind kind, double share) {
    return new SubsampledAttention.Config(2, groups, kind, share, 0.5, 0);
  }

  /** Out of training it is softmax attention. */
  @ParameterizedTest
  @EnumSource
  void isDenseInInference(SubsampledAttention.Kind kind) {
    for (BlockContext context : new BlockContext[] {Sites.causal(8), Sites.bidirectional(8)}) {
      SubsampledAttention mixer = mixer(context, config(1, kind, 0.25));
      mixer.train(false);
      MixerChecks.matches(mixer, new NaiveAttention(2, 1, context.causal()), 9, 8);
      MixerChecks.ignoresPadding(mixer(context, config(0, kind, 0.25)), 8);
    }
    MixerChecks.causal(mixer(Sites.causal(8), config(0, kind, 0.25)), 8);
    MixerChecks.streams(mixer(Sites.causal(8), config(0, kind, 0.25)), 8);
  }

  /** Keys that were drawn are all that is seen; several chunks of queries. */
  @Test
  void drawnKeysAreAllThatIsSeen() {
    long[] drawn = {0, 3, 4, 250, 260, 511, 512, 600};
    boolean[] seen = new boolean[601];
    for (long at : drawn) {
      seen[(int) at] = true;
    }
    for (BlockContext context : new BlockContext[] {Sites.causal(8), Sites.bidirectional(8)}) {
      SubsampledAttention mixer =
          mixer(context, config(1, SubsampledAttention.Kind.UNBIASED, 0.25));
      try (Mode mode = Autograd.noGrad()) {
        Attention.Heads h = mixer.project(Tensor.randn(2, 601, 8), null, null);
        Tensor mask = Tensor.of(seen).unsqueeze(0);
        if (context.causal()) {
          mask = mask.and(Tensor.ones(601, 601).tril(0).gt(0));
        }
        Tensor logits = h.query().mul(0.5).matmul(mixer.repeatGroups(h.key()).t());
        Tensor p = logits.maskedFill(mask.not(), Double.NEGATIVE_INFINITY).softmax(-1);
        assertClose(
            p.matmul(mixer.repeatGroups(h.value())).toDoubles(),
            mixer.drawn(h, null, Tensor.of(drawn)),
            1e-5);
      }
    }
  }

  /** Tokens of a window see each other and nobody else, in whatever order they stand. */
  @Test
  void windowsAttendToThemselves() {
    int length = 11;
    long window = 4;
    for (BlockContext context : new BlockContext[] {Sites.causal(8), Sites.bidirectional(8)}) {
      SubsampledAttention mixer = mixer(context, config(0, SubsampledAttention.Kind.LOCAL, 0.4));
      try (Mode mode = Autograd.noGrad()) {
        Tensor order = Tensor.randperm(length);
        long[] at = order.toLongs();
        boolean[] seen = new boolean[length * length];
        for (int i = 0; i < length; i++) {
          for (int j = 0; j < length; j++) {
            boolean together = i / window == j / window;
            boolean earlier = !context.causal() || at[j] <= at[i];
            seen[(int) (at[i] * length + at[j])] = together && earlier;
          }
        }
        Attention.Heads h = mixer.project(Tensor.randn(2, length, 8), null, null);
        Tensor logits = h.query().mul(0.5).matmul(h.key().t());
        Tensor p =
            logits
                .maskedFill(Tensor.of(seen, length, length).not(), Double.NEGATIVE_INFINITY)
                .softmax(-1);
        assertClose(p.matmul(h.value()).toDoubles(), mixer.shuffled(h, null, order, window), 1e-5);
      }
    }
  }

  /** In training, no output depends on a later input, whatever was drawn. */
  @ParameterizedTest
  @EnumSource
  void isCausalInTraining(SubsampledAttention.Kind kind) {
    SubsampledAttention mixer = mixer(Sites.causal(8), config(0, kind, 0.3));
    mixer.train(true);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(2, 40, 8);
      for (int t : new int[] {1, 13, 39}) {
        Tensor other = Tensor.cat(1, x.narrow(1, 0, t), Tensor.randn(2, 40 - t, 8).mul(50));
        Random.seed(5);
        Tensor y = mixer.forward(x, null);
        Random.seed(5);
        Tensor changed = mixer.forward(other, null);
        assertSame(y.narrow(1, 0, t), changed.narrow(1, 0, t), "outputs before " + t);
        assertTrue(y.isFinite().all());
      }
    }
  }

  /** Keys are drawn without favour, so that the mean over draws of the sums is that of all keys. */
  @Test
  void everyKeyIsDrawnEquallyOften() {
    SubsampledAttention mixer =
        mixer(Sites.bidirectional(4), config(0, SubsampledAttention.Kind.UNBIASED, 0.25));
    mixer.train(true);
    int length = 8;
    int passes = 4000;
    try (Mode mode = Autograd.noGrad()) {
      // Equal logits, values that are the position's own: an output is the share of each position.
      Tensor zero = Tensor.zeros(1, 2, length, 2);
      Tensor one = Tensor.ones(length).view(length, 1).mul(Tensor.ones(1, length)).tril(0).triu(0);
      Tensor values = one.view(1, 1, length, length).expand(1, 2, length, length);
      Tensor sum = Tensor.zeros(length);
      for (int i = 0; i < passes; i++) {
        Tensor y =
            mixer.attend(
                new Attention.Heads(zero, zero, values),
                new AttentionMask(0, false, null, new NoPosition()));
        sum = sum.add(y.select(0, 0).select(0, 0).select(0, 0));
      }
      double[] share = sum.div(passes).toDoubles();
      // Each is drawn in a quarter of the passes, with weight one half: 1/8; deviation 0.0034.
      for (double s : share) {
        assertTrue(Math.abs(s - 1.0 / length) < 5 * 0.0034, "share " + s);
      }
    }
  }

  @Test
  void finishesDenselyAndSamplesInInferenceIfAsked() {
    SubsampledAttention.Config config =
        new SubsampledAttention.Config(2, 0, SubsampledAttention.Kind.UNBIASED, 0.25, 0.5, 0.2);
    SubsampledAttention mixer = mixer(Sites.bidirectional(8), config);
    Tensor x = Tensor.randn(1, 32, 8);
    try (Mode mode = Autograd.noGrad()) {
      mixer.train(false);
      Tensor dense = mixer.forward(x, null);
      mixer.train(true);
      mixer.before(79, 100);
      assertFalse(dense.sameAs(mixer.forward(x, null)), "subsampled before the last phase");
      mixer.before(80, 100);
      assertSame(dense, mixer.forward(x, null), "dense in the last phase");
      mixer.train(false);
      mixer.subsample(true);
      assertFalse(dense.sameAs(mixer.forward(x, null)), "subsampled in inference");
      assertFalse(
          mixer.forward(x, null).sameAs(mixer.forward(x, null)), "passes differ from each other");
      mixer.subsample(false);
      assertSame(dense, mixer.forward(x, null), "dense again");
    }
  }

  /** Gradients of what was drawn are those of masked attention. */
  @Test
  void gradientsFlowThroughWhatWasDrawn() {
    SubsampledAttention mixer =
        mixer(Sites.causal(8), config(0, SubsampledAttention.Kind.UNBIASED, 0.25));
    Tensor drawn = Tensor.of(new long[] {0, 2, 5});
    Tensor q = Tensor.randn(1, 2, 9, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor k = Tensor.randn(1, 2, 9, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor v = Tensor.randn(1, 2, 9, 4).to(DType.FLOAT64).requiresGrad(true);
    Tensor g = Tensor.randn(1, 2, 9, 4).to(DType.FLOAT64);
    mixer.drawn(new Attention.Heads(q, k, v), null, drawn).backward(g);
    Tensor[] found = {q.grad().copy(), k.grad().copy(), v.grad().copy()};
    for (Tensor t : new Tensor[] {q, k, v}) {
      t.clearGrad();
    }
    Tensor mask = Tensor.ones(9, 9).tril(0).gt(0);
    Tensor column = Tensor.zeros(9).scatter(0, drawn, 1.0).gt(0);
    q.mul(0.5)
        .matmul(k.t())
        .maskedFill(mask.and(column).not(), Double.NEGATIVE_INFINITY)
        .softmax(-1)
        .matmul(v)
        .backward(g);
    assertClose(q.grad().toDoubles(), found[0], 1e-10);
    assertClose(k.grad().toDoubles(), found[1], 1e-10);
    assertClose(v.grad().toDoubles(), found[2], 1e-10);
  }
}
