package dev.jformer.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.adapt.AdapterSettings;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.Lora;
import dev.jformer.config.Configs;
import dev.jformer.ffn.GroupRationalKan;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.MetaFormer;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses, gradients and buffers are those of an ordinary pass, to the bit. */
@ExtendWith(Scoped.class)
class RecomputationTest {
  private static CausalLm.Config language() {
    return new CausalLm.Config()
        .with(c -> c.vocab(30).length(140))
        .withStack(s -> s.layers(3).width(16))
        .withBlock(b -> b.dropout(0.2).mixer(new SoftmaxAttention.Config(2, 0)));
  }

  private static Map<String, double[]> pass(
      Model model, Function<Model, Tensor> loss, boolean recompute, boolean mixed) {
    model.clearGrads();
    model.train(true);
    Map<String, double[]> found = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      Random.seed(9);
      Tensor result;
      try (Mode again = recompute ? Recomputation.open() : () -> {};
          Mode precision = Autograd.autocast(DType.BFLOAT16, mixed)) {
        result = loss.apply(model);
      }
      result.backward();
      found.put("loss", new double[] {result.item()});
      found.put("random", Tensor.rand(3).toDoubles());
      model
          .parameters()
          .forEach(
              (name, p) -> {
                if (p.value().grad() != null) {
                  found.put(name, p.value().grad().toDoubles());
                } else if (!p.isTrainable()) {
                  found.put(name, p.value().toDoubles());
                }
              });
    }
    return found;
  }

  private static void assertSame(Model.Config config, Function<Model, Tensor> loss) {
    assertSame(config.build(), config.build(), loss, false);
  }

  private static void assertSame(
      Model one, Model other, Function<Model, Tensor> loss, boolean mixed) {
    other.copyFrom(one);
    Map<String, double[]> plain = pass(one, loss, false, mixed);
    Map<String, double[]> again = pass(other, loss, true, mixed);
    assertEquals(plain.keySet(), again.keySet());
    assertTrue(plain.size() > 10, "" + plain.keySet());
    plain.forEach(
        (name, value) ->
            assertEquals(Arrays.toString(value), Arrays.toString(again.get(name)), name));
    one.close();
    other.close();
  }

  private static Function<Model, Tensor> predicting(int length) {
    Tensor ids = Tensor.randint(0, 30, 2, length).keep();
    return model -> ((CausalLm) model).loss(ids, ids);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 65, 129})
  void languageModelsWithDropout(int length) {
    assertSame(language(), predicting(length));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rope", "alibi", "learned"})
  void allPositions(String type) {
    Position.Config position = Configs.parts(Position.Config.class).get(type);
    assertSame(language().withStack(s -> s.position(position)), predicting(20));
  }

  /** The biases of all blocks are one weight, whose gradients are summed in another order. */
  @Test
  void sharedRelativeBiases() {
    Position.Config position = Configs.parts(Position.Config.class).get("t5");
    CausalLm.Config config =
        language().withStack(s -> s.position(position)).withBlock(b -> b.dropout(0));
    CausalLm one = config.build();
    CausalLm other = config.build();
    other.copyFrom(one);
    Function<Model, Tensor> loss = predicting(20);
    Map<String, double[]> plain = pass(one, loss, false, false);
    Map<String, double[]> again = pass(other, loss, true, false);
    assertEquals(plain.keySet(), again.keySet());
    plain.forEach(
        (name, value) -> {
          for (int i = 0; i < value.length; i++) {
            assertEquals(value[i], again.get(name)[i], 1e-6, name);
          }
        });
    assertTrue(plain.keySet().stream().anyMatch(n -> n.contains("position")), "" + plain.keySet());
  }

  @Test
  void mixedPrecision() {
    assertSame(language().build(), language().build(), predicting(40), true);
  }

  /** Their gradients are computed in Java too, inside those of the block. */
  @Test
  void blocksWhoseGradientsAreComputedInJava() {
    assertSame(language().withBlock(b -> b.ffn(new GroupRationalKan.Config())), predicting(12));
    CausalLm one = language().build();
    CausalLm other = language().build();
    other.copyFrom(one);
    for (CausalLm model : new CausalLm[] {one, other}) {
      Random.seed(1);
      Adapters.attach(model, new Lora(new AdapterSettings(2)), "a", null);
    }
    assertSame(one, other, predicting(12), false);
  }

  @Test
  void buffersAreUpdatedOnce() {
    assertSame(
        language().withBlock(b -> b.projection(new SigmaReparamLinear.Config())), predicting(9));
  }

  @Test
  void encodersAndImagesAndTranslators() {
    Tensor ids = Tensor.randint(0, 30, 2, 9);
    boolean[] real = new boolean[18];
    Arrays.fill(real, 0, 14, true);
    Tensor mask = Tensor.of(real, 2, 9);
    assertSame(
        new Encoder.Config()
            .with(c -> c.length(20).labels(3))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0))),
        model -> ((Encoder) model).logits(ids, mask).square().sum());
    Tensor images = Tensor.rand(2, 3, 32, 32);
    assertSame(
        new VisionTransformer.Config()
            .with(c -> c.patch(8))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0))),
        model -> ((VisionTransformer) model).logits(images).square().sum());
    assertSame(
        new MetaFormer.Config().with(c -> c.size(32).depths(List.of(1, 1)).widths(List.of(8, 16))),
        model -> ((MetaFormer) model).logits(images).square().sum());
    Tensor places = Tensor.arange(0, 18);
    assertSame(
        new EncoderDecoder.Config().sized(30, 0),
        model -> ((EncoderDecoder) model).logits(ids, null, ids, places).square().mean());
  }

  @Test
  void expertsWithLossesAreRefused() {
    Model model = language().withBlock(b -> b.ffn(new Experts.Config())).build();
    try (AuxiliaryLosses collector = AuxiliaryLosses.collect();
        Mode again = Recomputation.open()) {
      String message =
          assertThrows(IllegalStateException.class, () -> predicting(5).apply(model)).getMessage();
      assertTrue(message.contains("training.recompute"), message);
    }
  }

  /** Between the passes blocks hold their inputs only. */
  @Test
  void takesLessMemory() {
    CausalLm.Config config =
        new CausalLm.Config()
            .with(c -> c.vocab(30).length(256))
            .withStack(s -> s.layers(20).width(128))
            .withBlock(b -> b.dropout(0).mixer(new SoftmaxAttention.Config(4, 0)));
    try (CausalLm model = config.build()) {
      Tensor ids = Tensor.randint(0, 30, 16, 256);
      Function<Model, Tensor> loss = m -> ((CausalLm) m).loss(ids, ids);
      pass(model, loss, true, false);
      long again = leastPeakOf(() -> pass(model, loss, true, false));
      long plain = leastPeakOf(() -> pass(model, loss, false, false));
      assertTrue(again < 0.6 * plain, again + " against " + plain + " bytes");
    }
  }

  /** The less of two peaks: what else the process does can only add to one. */
  private static long leastPeakOf(Runnable body) {
    return LongStream.generate(() -> Memory.peakOf(body)).limit(2).min().orElseThrow();
  }
}
