package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.Urpe;
import dev.jformer.nn.Norm;
import dev.jformer.position.Alibi;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.T5Bias;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import dev.jformer.train.AdamW;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class TokenClassifierTest {
  private static final int LENGTH = 10;
  private static final int VOCAB = 7;
  private static final double EPSILON = new Norm.LayerNormConfig().epsilon();

  @TempDir Path folder;

  private static TokenClassifier.Config config(
      Position.Config position, TokenMixer.Config mixer, NormPlacement placement, int labels) {
    return new TokenClassifier.Config()
        .with(c -> c.vocab(VOCAB).labels(labels).length(LENGTH))
        .withStack(s -> s.layers(2).width(12).position(position))
        .withBlock(b -> b.mixer(mixer).placement(placement));
  }

  private static TokenClassifier.Config pre(Position.Config position, TokenMixer.Config mixer) {
    return config(position, mixer, NormPlacement.PRE, LENGTH);
  }

  static List<Position.Config> relative() {
    return List.of(
        new T5Bias.Config(8, 20), new Alibi.Config(), new Rope.Config(20), new NoPosition.Config());
  }

  @ParameterizedTest
  @EnumSource
  void matchesANaiveForwardPass(NormPlacement placement) {
    TokenMixer.Config mixer = new SoftmaxAttention.Config(3, 0);
    TokenClassifier model = Weights.draw(config(new Alibi.Config(), mixer, placement, 4).build());
    Weights w = Weights.of(model);
    long[] ids = {0, 3, 3, 6, 1, 2, 5};
    double[][] x = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      x[t] = w.matrix("embedding.weight")[(int) ids[t]].clone();
    }
    NaiveBlock blocks = new NaiveBlock(placement, (each, name) -> norm(each, w, name));
    NaiveAttention attention = new NaiveAttention(3, 3, false).with(alibi());
    for (String block : new String[] {"blocks.0.", "blocks.1."}) {
      NaiveAttention mix = attention.at(block + "mixer.");
      x =
          blocks.forward(
              x,
              block,
              each -> mix.forward(each, w),
              each -> NaiveGpt.mlp(each, w, block + "ffn."));
    }
    double[][] last = blocks.last(x, "norm");
    assertClose(
        Close.flat(Loops.linear(last, w, "head")),
        model.logits(Tensor.of(ids, 1, ids.length), null),
        1e-9);
  }

  /** Slopes of three heads: those of two, then one of four. */
  private static NaiveAttention.Bias alibi() {
    double[] slopes = {1.0 / 16, 1.0 / 256, 1.0 / 4};
    return (head, query, key) -> -slopes[head] * Math.abs(query - key);
  }

  private static double[][] norm(double[][] x, Weights w, String name) {
    return Loops.layerNorm(x, w.vector(name + ".weight"), w.vector(name + ".bias"), EPSILON);
  }

  @Test
  void seesBothWaysButNoPadding() {
    for (Position.Config position : relative()) {
      TokenClassifier model = Weights.draw(pre(position, new Urpe.Config(2, 0)).build());
      Tensor ids = Tensor.randint(0, VOCAB, 1, 6);
      Tensor other =
          Tensor.cat(1, ids.narrow(1, 0, 5), ids.narrow(1, 5, 1).add(1).remainder(VOCAB));
      Tensor y = model.logits(ids, null);
      assertFalse(
          y.select(1, 0).sameAs(model.logits(other, null).select(1, 0)), "the last token is seen");
      Tensor paddingMask = Tensor.of(new boolean[] {true, true, true, true, true, false}, 1, 6);
      Tensor kept = model.logits(ids, paddingMask).narrow(1, 0, 5);
      assertSame(kept, model.logits(other, paddingMask).narrow(1, 0, 5), "padding is not seen");
      assertClose(model.logits(ids.narrow(1, 0, 5), null), kept, 1e-12);
    }
  }

  @Test
  void theLossIsTheMeanCrossEntropyOfTheLabelled() {
    TokenClassifier model =
        Weights.draw(pre(new LearnedPosition.Config(), new SoftmaxAttention.Config()).build());
    Tensor ids = Tensor.randint(0, VOCAB, 2, 3);
    long[] targets = {3, -1, 0, 9, -7, 2};
    double[] logits = model.logits(ids, null).toDoubles();
    double sum = 0;
    for (int i : new int[] {0, 2, 3, 5}) {
      double[] row = Arrays.copyOfRange(logits, i * LENGTH, (i + 1) * LENGTH);
      sum += Loops.logSumExp(row) - row[(int) targets[i]];
    }
    assertEquals(sum / 4, model.loss(ids, null, Tensor.of(targets, 2, 3)).item(), 1e-5);
  }

  @Test
  void isSavedAndLoaded() throws IOException {
    TokenClassifier.Config config = pre(new T5Bias.Config(8, 20), new Urpe.Config(4, 2));
    assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class));
    TokenClassifier model = config.build();
    Tensor factors = model.parameters().get("blocks.1.mixer.factors").value();
    try (Mode mode = Autograd.noGrad()) {
      factors.normal_(0, 1);
    }
    Models.save(model, folder);
    TokenClassifier loaded = (TokenClassifier) Models.load(folder);
    assertEquals(config, loaded.config());
    Tensor ids = Tensor.randint(0, VOCAB, 2, LENGTH);
    assertSame(model.logits(ids, null), loaded.logits(ids, null), "logits");
  }

  @Test
  void refusesWhatItCannotDo() {
    TokenClassifier model =
        pre(new LearnedPosition.Config(), new SoftmaxAttention.Config()).build();
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> model.logits(Tensor.zeros(DType.INT64, 1, LENGTH + 1), null));
    assertTrue(error.getMessage().contains("11") && error.getMessage().contains("10"));
    Tensor longer = Tensor.zeros(DType.INT64, 1, LENGTH + 1);
    TokenClassifier far = pre(new T5Bias.Config(), new Urpe.Config()).build();
    assertEquals(LENGTH + 1, far.logits(longer, null).size(1), "T5's biases go on");
    var heads =
        assertThrows(
            IllegalArgumentException.class,
            () -> pre(new T5Bias.Config(), new Urpe.Config(5, 0)).build());
    assertTrue(heads.getMessage().contains("heads is 5"), heads.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> config(new Alibi.Config(), new Urpe.Config(), NormPlacement.PRE, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> config(null, new Urpe.Config(), NormPlacement.PRE, 2));
  }

  // ---- The theory of URPE (arXiv 2205.13401): identical tokens, as many as there are labels.

  private static Tensor identical() {
    return Tensor.full(3, DType.INT64, 1, LENGTH);
  }

  /** The largest difference between a logit at one position and at the first. */
  private static double unlikeness(TokenClassifier model) {
    Tensor logits = model.logits(identical(), null);
    return logits.sub(logits.narrow(1, 0, 1)).abs().max().item();
  }

  /**
   * Rows of softmax sum to one and all values are the same: whatever the weights, each position
   * gets the same logits, up to float64's rounding, though the rows themselves differ.
   */
  @ParameterizedTest
  @MethodSource("relative")
  void relativePositionsAloneDoNotTellIdenticalTokensApart(Position.Config position) {
    for (int model = 0; model < 5; model++) {
      TokenClassifier drawn =
          Weights.draw(pre(position, new SoftmaxAttention.Config(2, 0)).build());
      assertTrue(unlikeness(drawn) < 1e-11, "unlikeness " + unlikeness(drawn));
      Tensor x = Tensor.ones(1, LENGTH, 12).to(DType.FLOAT64);
      Tensor rows = drawn.blocks().get(0).mixer().weights(x, null);
      boolean differ = rows.sub(rows.narrow(2, 0, 1)).abs().max().item() > 1e-3;
      assertEquals(!(position instanceof NoPosition.Config), differ, "rows of attention differ");
      // So a prediction is right at one position in as many as there are labels, in any labelling.
      long[] best = drawn.logits(identical(), null).argmax(2).toLongs();
      assertEquals(1, Arrays.stream(best).distinct().count());
    }
  }

  @ParameterizedTest
  @MethodSource("relative")
  void universalOnesDo(Position.Config position) {
    TokenClassifier model = Weights.draw(pre(position, new Urpe.Config(2, 0)).build());
    assertTrue(unlikeness(model) > 1e-2, "unlikeness " + unlikeness(model));
    for (String block : new String[] {"blocks.0.", "blocks.1."}) {
      Tensor factors = model.parameters().get(block + "mixer.factors").value();
      try (Mode mode = Autograd.noGrad()) {
        factors.fill_(0.7);
      }
    }
    assertTrue(unlikeness(model) < 1e-11, "rows of one sum, again");
  }

  @Test
  void absolutePositionsDo() {
    TokenClassifier model =
        Weights.draw(pre(new LearnedPosition.Config(), new SoftmaxAttention.Config(4, 0)).build());
    assertTrue(unlikeness(model) > 1e-2);
  }

  /** What can be told apart can be learned: the position of each of ten identical tokens. */
  @Test
  void universalPositionsLearnWhereTokensStandAndOthersDoNot() {
    assertEquals(1.0, accuracyAfterTraining(new Urpe.Config(4, 0)), 0);
    assertEquals(1.0 / LENGTH, accuracyAfterTraining(new SoftmaxAttention.Config(4, 0)), 1e-9);
  }

  private static double accuracyAfterTraining(TokenMixer.Config mixer) {
    TokenClassifier model = pre(new T5Bias.Config(8, 20), mixer).build();
    Tensor targets = Tensor.arange(0, LENGTH).unsqueeze(0);
    try (AdamW optimizer = new AdamW(model, new AdamW.Config(0.9, 0.99, 1e-8, 0))) {
      for (int step = 0; step < 300; step++) {
        try (Scope scope = Scope.open()) {
          model.clearGrads();
          model.loss(identical(), null, targets).backward();
          optimizer.step(5e-3);
        }
      }
    }
    Tensor best = model.logits(identical(), null).argmax(2);
    return best.eq(targets).to(DType.FLOAT64).mean().item();
  }
}
