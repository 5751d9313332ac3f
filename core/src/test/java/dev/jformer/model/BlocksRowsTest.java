package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.Lora;
import dev.jformer.compress.Compression;
import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.config.Configs;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Decoding in plain floats against the same model's logits of whole sequences. */
@ExtendWith(Scoped.class)
class BlocksRowsTest {
  private static final int VOCAB = 50;
  private static final int LENGTH = 70;
  private static final String SHAPE =
      "{model: causal-lm, layers: 2, width: 64, vocab: 50, length: 96, ";

  private static CausalLm model(String rest) {
    CausalLm.Config config =
        (CausalLm.Config) Configs.parse(json(SHAPE + rest + "}"), Model.Config.class);
    CausalLm model = drawn(config.build());
    model.train(false);
    return model;
  }

  /** Random float32 weights, large enough that every part matters. */
  private static CausalLm drawn(CausalLm model) {
    Random.seed(5);
    try (Mode mode = Autograd.noGrad()) {
      for (Parameter parameter : model.parameters().values()) {
        Tensor value = parameter.value();
        parameter.copyFrom(value.add(Tensor.randn(value.shape().toArray()).mul(0.1)));
      }
    }
    return model;
  }

  private static String json(String loose) {
    return loose
        .replaceAll("([a-zA-Z]+):", "\"$1\":")
        .replaceAll(": ([a-z][-a-z0-9]*)", ": \"$1\"")
        .replaceAll("\"(true|false)\"", "$1");
  }

  private static Tensor ids(long batch) {
    return Tensor.arange(0, batch * LENGTH)
        .square()
        .add(3)
        .remainder(VOCAB)
        .to(DType.INT64)
        .reshape(batch, LENGTH);
  }

  private static boolean hasRows(CausalLm model) {
    try (CausalLm.Decoding decoding = model.decode(1, LENGTH)) {
      return BlocksRows.of(model.blocks(), decoding.states()) != null;
    }
  }

  /** Reads some tokens at once, the others one by one. */
  private static void compare(CausalLm model, long batch, long together, double tolerance) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      Tensor ids = ids(batch);
      Tensor whole = model.logits(ids);
      try (CausalLm.Decoding decoding = model.decode(batch, LENGTH)) {
        if (together > 0) {
          decoding.next(ids.narrow(1, 0, together));
        }
        for (long t = together; t < LENGTH; t++) {
          Tensor next = decoding.next(ids.narrow(1, t, 1));
          assertClose(whole.select(1, t), next, tolerance);
        }
        assertEquals(LENGTH, decoding.length());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "position: {type: rope}, norm: {type: rms}, ffn: {type: gated-mlp},"
            + " mixer: {heads: 4, keyValueHeads: 2}, bias: false",
        "position: {type: learned}, norm: {type: layer}, ffn: {type: mlp, activation: gelu-tanh},"
            + " mixer: {heads: 4}, bias: true",
        "position: {type: rope, rotated: 0.5}, norm: {type: layer}, placement: parallel,"
            + " ffn: {type: mlp, activation: gelu}, mixer: {heads: 4}, bias: true",
        "position: {type: rope}, norm: {type: rms, zeroCentered: true}, placement: sandwich,"
            + " ffn: {type: gated-mlp, activation: gelu-tanh},"
            + " mixer: {heads: 4, keyValueHeads: 1, headDim: 24, scale: 0.3}",
        "position: {type: sinusoidal}, norm: {type: layer}, placement: post,"
            + " ffn: {type: mlp, activation: relu}, mixer: {heads: 4}",
        "position: {type: none}, norm: {type: rms}, ffn: {type: mlp, activation: squared-relu},"
            + " residual: {layerScale: 0.3}, mixer: {heads: 2, queryKeyNorm: {type: rms}}"
      })
  void oneTokenAtATimeGivesTheLogitsOfTheWhole(String config) {
    CausalLm model = model(config);
    assertEquals(true, hasRows(model));
    compare(model, 1, 0, 1e-4);
    compare(model, 3, 5, 1e-4);
    compare(model, 8, 64, 1e-4);
    compare(model, 9, 64, 1e-4); // more than are computed in this way
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "position: {type: alibi}, mixer: {heads: 4}",
        "position: {type: rope}, mixer: {heads: 4, window: 8}",
        "position: {type: rope}, mixer: {heads: 4, logitCap: 20}",
        "position: {type: rope}, mixer: {type: linear}"
      })
  void whatHasNoFunctionIsComputedWithTensors(String config) {
    CausalLm model = model(config);
    assertEquals(false, hasRows(model));
    compare(model, 2, 3, 1e-4);
  }

  private static CausalLm compressed(Compression compression) {
    return (CausalLm)
        compression.apply(
            model(
                "position: {type: rope}, norm: {type: rms}, ffn: {type: gated-mlp},"
                    + " mixer: {heads: 4, keyValueHeads: 2}, bias: true"),
            null);
  }

  @Test
  void eightBitWeightsToo() {
    CausalLm model = compressed(new WeightInt8());
    model.train(false);
    assertEquals(true, hasRows(model));
    compare(model, 1, 0, 1e-3);
    compare(model, 4, 5, 1e-3);
  }

  @Test
  void fourBitWeightsToo() {
    CausalLm model = compressed(new WeightInt4());
    model.train(false);
    assertEquals(true, hasRows(model));
    // The kernel rounds to bfloat16.
    compare(model, 1, 0, 0.1);
    compare(model, 4, 5, 0.1);
  }

  @Test
  void adaptersToo() {
    CausalLm model = model("position: {type: rope}, norm: {type: rms}, mixer: {heads: 4}");
    Adapters.attach(model, new Lora(), "first", null);
    drawn(model);
    model.train(false);
    assertEquals(true, hasRows(model));
    compare(model, 2, 5, 1e-4);
  }

  @Test
  void anotherAdapterMayBeUsedFromOneTokenToTheNext() {
    CausalLm model = model("position: {type: rope}, norm: {type: rms}, mixer: {heads: 4}");
    Adapters.attach(model, new Lora(), "first", null);
    drawn(model);
    model.train(false);
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding rows = model.decode(1, LENGTH);
        CausalLm.Decoding tensors = model.decode(1, LENGTH)) {
      Tensor ids = ids(1);
      for (int t = 0; t < 6; t += 2) {
        Adapters.use(model, t == 2 ? "first" : null);
        rows.next(ids.narrow(1, t, 1));
        Tensor last = rows.next(ids.narrow(1, t + 1, 1));
        // Two tokens at a time are read with tensors.
        assertClose(tensors.next(ids.narrow(1, t, 2)), last, 1e-4);
      }
    }
  }

  @Test
  void trainingAndOtherTypesHaveNone() {
    CausalLm model = model("position: {type: rope}, mixer: {heads: 4}");
    try (CausalLm.Decoding decoding = model.decode(1, LENGTH)) {
      assertNotNull(BlocksRows.of(model.blocks(), decoding.states()));
      model.train(true);
      assertNull(BlocksRows.of(model.blocks(), decoding.states()));
      model.train(false);
      Weights.draw(model); // in float64
      assertNull(BlocksRows.of(model.blocks(), decoding.states()));
    }
    compare(model, 2, 5, 1e-9);
  }

  @Test
  void productsAreCounted() {
    CausalLm model = model("position: {type: rope}, mixer: {heads: 4}");
    try (Mode mode = Autograd.inference()) {
      Tensor ids = ids(1);
      double[] counted = new double[2];
      for (int i = 0; i < 2; i++) {
        // The second sequence is in a batch too large for plain floats.
        long batch = i == 0 ? 1 : 9;
        try (CausalLm.Decoding decoding = model.decode(batch, LENGTH)) {
          Tensor some = Tensor.cat(0, copies(ids, batch));
          decoding.next(some.narrow(1, 0, 30));
          counted[i] = Flops.of(() -> decoding.next(some.narrow(1, 30, 1))) / batch;
        }
      }
      assertEquals(counted[1], counted[0], 1e-6 * counted[1]);
    }
  }

  private static Tensor[] copies(Tensor x, long count) {
    return Collections.nCopies((int) count, x).toArray(Tensor[]::new);
  }
}
