package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.Norm;
import dev.jformer.position.Alibi;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.position.Sinusoidal;
import dev.jformer.position.T5Bias;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class CausalLmTest {
  private static final int VOCAB = 11;
  private static final int WIDTH = 12;
  private static final int LENGTH = 16;

  private static CausalLm.Config config(
      Position.Config position,
      SoftmaxAttention.Config mixer,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      NormPlacement placement,
      boolean bias,
      boolean tied) {
    return new CausalLm.Config()
        .with(x -> x.vocab(VOCAB).length(LENGTH).tied(tied))
        .withStack(s -> s.layers(2).width(WIDTH).position(position))
        .withBlock(b -> b.mixer(mixer).ffn(ffn).norm(norm).placement(placement).bias(bias));
  }

  private static CausalLm.Config gpt2() {
    return config(
        new LearnedPosition.Config(),
        new SoftmaxAttention.Config(3, 0),
        new Mlp.Config(),
        new Norm.LayerNormConfig(),
        NormPlacement.PRE,
        true,
        true);
  }

  private static CausalLm.Config llama() {
    return config(
        new Rope.Config(),
        new SoftmaxAttention.Config(6, 2),
        new GatedMlp.Config(),
        new Norm.RmsNormConfig(),
        NormPlacement.PRE,
        false,
        false);
  }

  /** Every position with both placements, tied and not, and every norm. */
  static List<CausalLm.Config> variants() {
    List<CausalLm.Config> variants = new ArrayList<>();
    boolean flag = false;
    for (Position.Config position :
        List.of(
            new NoPosition.Config(),
            new LearnedPosition.Config(),
            new Sinusoidal.Config(),
            new Rope.Config(),
            new Alibi.Config(),
            new T5Bias.Config(8, 20))) {
      for (NormPlacement placement : NormPlacement.values()) {
        for (Norm.Config norm :
            List.of(
                new Norm.LayerNormConfig(), new Norm.RmsNormConfig(), new Norm.NoNormConfig())) {
          flag = !flag;
          variants.add(
              config(
                  position,
                  new SoftmaxAttention.Config(2, 0),
                  new Mlp.Config(),
                  norm,
                  placement,
                  flag,
                  (variants.size() / 2) % 2 == 0));
        }
      }
    }
    return variants;
  }

  private static Tensor ids(long batch, long length) {
    return Tensor.randint(0, VOCAB, batch, length);
  }

  private static NaiveGpt naive(CausalLm model) {
    SoftmaxAttention.Config mixer = (SoftmaxAttention.Config) model.config().mixer();
    int heads = mixer.heads();
    int groups = mixer.keyValueHeads() == 0 ? heads : mixer.keyValueHeads();
    NaiveAttention attention = new NaiveAttention(heads, groups, true);
    UnaryOperator<double[][]> embed = x -> x;
    Position.Config position = model.config().position();
    if (position instanceof Rope.Config rope) {
      attention = attention.with(NaiveAttention.rope(rope.base()));
    } else if (position instanceof Alibi.Config) {
      attention = attention.with(NaiveAttention.alibi(heads));
    } else if (position instanceof T5Bias.Config t5) {
      double[][] table = Weights.of(model).matrix("position.weight");
      attention = attention.with(NaiveAttention.t5(table, t5.maxDistance(), true));
    } else if (position instanceof LearnedPosition.Config) {
      double[][] table = Weights.of(model).matrix("position.weight");
      embed = x -> Loops.add(x, table);
    } else if (position instanceof Sinusoidal.Config) {
      embed = x -> Loops.add(x, sinusoids(x.length));
    }
    NaiveGpt.Feedforward feedforward =
        model.config().ffn() instanceof Mlp.Config ? NaiveGpt::mlp : NaiveGpt::swiGlu;
    return new NaiveGpt(model, attention, embed, feedforward);
  }

  private static double[][] sinusoids(int length) {
    double[][] table = new double[length][WIDTH];
    for (int t = 0; t < length; t++) {
      for (int i = 0; i < WIDTH; i += 2) {
        double angle = t / Math.pow(10_000, i / (double) WIDTH);
        // Tables hold float32.
        table[t][i] = (float) Math.sin(angle);
        table[t][i + 1] = (float) Math.cos(angle);
      }
    }
    return table;
  }

  private static void matches(CausalLm.Config config) {
    CausalLm model = Weights.draw(config.build());
    Tensor ids = ids(2, 9);
    Tensor logits = model.logits(ids);
    assertEquals("[2x9x11]", logits.shape().toString());
    assertEquals(DType.FLOAT64, logits.dtype());
    NaiveGpt naive = naive(model);
    for (int b = 0; b < 2; b++) {
      double[][] expected = naive.logits(ids.select(0, b).toLongs());
      assertClose(expected, logits.select(0, b), 1e-7);
    }
    model.close();
  }

  @Test
  void gpt2MatchesANaiveForwardPass() {
    matches(gpt2());
    assertTrue(
        gpt2()
            .build()
            .parameters()
            .keySet()
            .containsAll(
                List.of(
                    "embedding.weight",
                    "position.weight",
                    "blocks.1.mixer.qkv.bias",
                    "norm.bias")));
  }

  @Test
  void llamaMatchesANaiveForwardPass() {
    matches(llama());
    assertTrue(
        llama().build().parameters().keySet().stream().noneMatch(name -> name.endsWith("bias")));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void everyVariantMatchesANaiveForwardPass(CausalLm.Config config) {
    matches(config);
  }

  @ParameterizedTest
  @MethodSource("variants")
  void noLogitDependsOnALaterToken(CausalLm.Config config) {
    CausalLm model = config.build();
    model.parameters().values().forEach(p -> p.copyFrom(p.value().detach().mul(5)));
    try (Mode mode = Autograd.noGrad()) {
      Tensor ids = ids(1, 10);
      Tensor logits = model.logits(ids);
      for (int t = 1; t < 10; t++) {
        Tensor later = ids.narrow(1, t, 10 - t).add(1).remainder(VOCAB);
        Tensor changed = model.logits(Tensor.cat(1, ids.narrow(1, 0, t), later));
        assertSame(logits.narrow(1, 0, t), changed.narrow(1, 0, t), "logits before " + t);
        assertFalse(
            logits.narrow(1, t, 10 - t).sameAs(changed.narrow(1, t, 10 - t)),
            "logits from " + t + " on see the tokens there");
      }
    }
    model.close();
  }

  @ParameterizedTest
  @MethodSource("variants")
  void decodingGivesTheLogitsOfTheWholeSequence(CausalLm.Config config) {
    CausalLm model = config.build();
    try (Mode mode = Autograd.inference()) {
      Tensor ids = ids(2, 10);
      Tensor whole = model.logits(ids);
      try (CausalLm.Decoding decoding = model.decode(2, 10)) {
        assertClose(whole.narrow(1, 0, 4), decoding.all(ids.narrow(1, 0, 4)), 1e-5);
        for (int t = 4; t < 10; t++) {
          assertClose(whole.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-5);
          assertEquals(t + 1, decoding.length());
        }
        decoding.truncate(3);
        assertEquals(3, decoding.length());
        assertClose(whole.select(1, 9), decoding.next(ids.narrow(1, 3, 7)), 1e-5);
        // Keys and values of 2 layers, batch 2, 10 tokens, float32.
        assertEquals(2 * 2 * 2 * 10 * WIDTH * 4, decoding.bytes());
      }
    }
    model.close();
  }

  @Test
  void theLossIsTheMeanCrossEntropy() {
    CausalLm model = Weights.draw(gpt2().build());
    Tensor ids = ids(2, 5);
    long[] targets = {3, -1, 0, 10, 2, 2, 1, -1, -1, 7};
    double sum = 0;
    int counted = 0;
    NaiveGpt naive = naive(model);
    for (int i = 0; i < 10; i++) {
      if (targets[i] >= 0) {
        double[] row = naive.logits(ids.select(0, i / 5).toLongs())[i % 5];
        sum += Loops.logSumExp(row) - row[(int) targets[i]];
        counted++;
      }
    }
    double loss = model.loss(ids, Tensor.of(targets, 2, 5)).item();
    assertEquals(sum / counted, loss, 1e-5);
  }

  /** Targets below 0, whichever, do not count. */
  @Test
  void everyNegativeTargetIsIgnored() {
    CausalLm model = gpt2().build();
    Tensor ids = ids(1, 4);
    double expected = model.loss(ids, Tensor.of(new long[] {1, -1, 2, -1}, 1, 4)).item();
    assertEquals(expected, model.loss(ids, Tensor.of(new long[] {1, -100, 2, -7}, 1, 4)).item(), 0);
  }

  @Test
  void anUntrainedModelGuessesEvenly() {
    CausalLm.Config c = new CausalLm.Config();
    for (CausalLm.Config config : List.of(c, c.withVocab(1000), gpt2(), llama())) {
      CausalLm model = config.build();
      Tensor ids = Tensor.randint(0, config.vocab(), 4, 16);
      Tensor targets = Tensor.randint(0, config.vocab(), 4, 16);
      assertEquals(Math.log(config.vocab()), model.loss(ids, targets).item(), 0.12);
      model.close();
    }
  }

  @Test
  void weightsStartAsGpt2s() {
    CausalLm model = new CausalLm.Config().build();
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              double deviation = parameter.value().square().mean().sqrt().item();
              if (name.endsWith("bias")) {
                assertEquals(0, deviation, name);
              } else if (name.matches("(.*\\.)?(norm|mixerNorm|ffnNorm)\\.weight")) {
                assertEquals(1, parameter.value().min().item(), name);
                assertEquals(1, parameter.value().max().item(), name);
              } else if (name.matches(".*\\.(out|down)\\.weight")) {
                assertEquals(0.02 / Math.sqrt(2 * 4), deviation, 2e-4, name);
              } else {
                assertEquals(0.02, deviation, 5e-4, name);
              }
            });
    // 12 D² a layer and their biases, norms, embeddings of 256 tokens and 256 positions.
    long d = 256;
    long layer = 12 * d * d + (3 + 1 + 4 + 1) * d + 4 * d;
    assertEquals(4 * layer + 2 * d + 256 * d + 256 * d, model.parameterCount());
    assertEquals(
        "causal-lm, 4 layers, width 256, vocabulary 256, 3.3 M parameters", model.toString());
    model.close();
  }

  @Test
  void oneSeedGivesOneModel() {
    dev.jformer.tensor.Random.seed(5);
    CausalLm a = llama().build();
    dev.jformer.tensor.Random.seed(5);
    CausalLm b = llama().build();
    a.parameters()
        .forEach((name, p) -> assertSame(p.value(), b.parameters().get(name).value(), name));
  }

  @ParameterizedTest
  @MethodSource("variants")
  void gradientsReachEveryWeight(CausalLm.Config config) {
    CausalLm model = config.build();
    Tensor ids = ids(2, LENGTH);
    model.loss(ids.narrow(1, 0, LENGTH - 1), ids.narrow(1, 1, LENGTH - 1)).backward();
    model.loss(ids, ids).backward();
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              Tensor gradient = parameter.value().grad();
              assertNotNull(gradient, name);
              assertTrue(gradient.isFinite().all() && gradient.any(), name);
              assertEquals(parameter.value().shape(), gradient.shape(), name);
            });
    model.close();
  }

  @Test
  void aConfigurationRebuildsItsModel() {
    for (CausalLm.Config config : List.of(gpt2(), llama())) {
      Model.Config read = Configs.parse(Configs.toJson(config), Model.Config.class);
      assertEquals(config, read);
      CausalLm model = config.build();
      Model again = read.build();
      assertEquals(config, again.config());
      assertEquals(
          List.copyOf(model.parameters().keySet()), List.copyOf(again.parameters().keySet()));
    }
  }

  @Test
  void tooLongSequencesAreRefusedWherePositionsEnd() {
    CausalLm model = gpt2().build();
    assertEquals(LENGTH, model.logits(ids(1, LENGTH)).size(1));
    var error =
        assertThrows(IllegalArgumentException.class, () -> model.logits(ids(1, LENGTH + 1)));
    assertTrue(
        error.getMessage().contains("17") && error.getMessage().contains("16"), error.getMessage());
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(1, 40)) {
      decoding.next(ids(1, LENGTH));
      assertThrows(IllegalArgumentException.class, () -> decoding.next(ids(1, 1)));
      assertEquals(LENGTH, decoding.length());
    }
    assertEquals(40, llama().build().logits(ids(1, 40)).size(1), "rotary positions go on");
  }

  @Test
  void decodingBeyondItsCapacityLeavesItAsItWas() {
    CausalLm model = llama().build();
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(1, 4)) {
      Tensor ids = ids(1, 4);
      decoding.next(ids.narrow(1, 0, 3));
      assertThrows(IllegalArgumentException.class, () -> decoding.next(ids(1, 2)));
      assertEquals(3, decoding.length());
      Tensor logits = decoding.next(ids.narrow(1, 3, 1));
      assertClose(model.logits(ids).select(1, 3), logits, 1e-5);
    }
  }

  @Test
  void tokensOutsideOfTheVocabularyAreErrors() {
    CausalLm model = gpt2().build();
    assertThrows(TensorException.class, () -> model.logits(Tensor.of(new long[] {VOCAB}, 1, 1)));
    assertThrows(
        TensorException.class, () -> model.loss(ids(1, 1), Tensor.of(new long[] {VOCAB}, 1, 1)));
  }

  @Test
  void impossibleConfigurationsAreRefused() {
    CausalLm.Config c = gpt2();
    var heads =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                config(
                        c.position(),
                        new SoftmaxAttention.Config(5, 0),
                        c.ffn(),
                        c.norm(),
                        c.placement(),
                        true,
                        true)
                    .build());
    assertTrue(
        heads.getMessage().contains("5") && heads.getMessage().contains("12"), heads.getMessage());
    for (String json :
        List.of(
            "{\"layers\": 0}",
            "{\"width\": -1}",
            "{\"vocab\": 0}",
            "{\"length\": 0}",
            "{\"dropout\": 1}",
            "{\"dropout\": -0.5}")) {
      assertThrows(
          dev.jformer.config.ConfigException.class,
          () -> Configs.parse(json, CausalLm.Config.class),
          json);
    }
    assertThrows(
        IllegalArgumentException.class,
        () ->
            config(
                null, new SoftmaxAttention.Config(), c.ffn(), c.norm(), c.placement(), true, true));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            config(
                c.position(), new SoftmaxAttention.Config(), c.ffn(), c.norm(), null, true, true));
  }

  @Test
  void dropoutActsInTrainingOnly() {
    CausalLm.Config c = gpt2();
    CausalLm model =
        c.with(x -> x.vocab(VOCAB).length(LENGTH).tied(true))
            .withStack(s -> s.layers(2).width(WIDTH))
            .withBlock(b -> b.bias(true).dropout(0.3))
            .build();
    Tensor ids = ids(1, 8);
    assertFalse(model.logits(ids).sameAs(model.logits(ids)));
    model.train(false);
    assertSame(model.logits(ids), model.logits(ids), "without dropout");
  }
}
