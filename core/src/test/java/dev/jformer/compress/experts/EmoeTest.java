package dev.jformer.compress.experts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.ffn.PerLayer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class EmoeTest {
  @BeforeEach
  void seed() {
    Random.seed(9);
  }

  private static Model model(String config) {
    Model model = Configs.parse(config, Model.Config.class).build();
    model
        .parameters()
        .forEach((n, p) -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.2)));
    model.train(false);
    return model;
  }

  private static CausalLm language() {
    return (CausalLm)
        model("{\"model\":\"causal-lm\",\"layers\":3,\"width\":16,\"vocab\":30,\"length\":12}");
  }

  /** Experts, all of them and half; and back. */
  private static void check(Model model, Function<Model, Tensor> outputs) {
    try (Mode mode = Autograd.noGrad()) {
      Tensor dense = outputs.apply(model);
      for (Emoe.Split split : Emoe.Split.values()) {
        Model all = new Emoe(8, 8, split, 0, 1).apply(model, null);
        assertTrue(dense.sameAs(outputs.apply(all)));
        Model half = new Emoe(8, 4, split, 0, 1).apply(model, null);
        assertFalse(dense.sameAs(outputs.apply(half)));
        assertEquals(model.parameterCount(), half.parameterCount());
        Model united = new Unite().apply(half, null);
        assertTrue(dense.sameAs(outputs.apply(united)));
        assertEquals(model.config(), united.config());
      }
    }
  }

  @Test
  void worksOnLanguageModels() {
    Tensor ids = Tensor.randint(0, 30, 2, 12);
    check(language(), m -> ((CausalLm) m).logits(ids));
  }

  @Test
  void worksOnGatedPerceptrons() {
    Tensor ids = Tensor.randint(0, 30, 2, 12);
    for (String hidden : new String[] {"", ",\"hidden\":40"}) {
      check(
          model(
              "{\"model\":\"causal-lm\",\"layers\":2,\"width\":24,\"vocab\":30,\"length\":12,"
                  + "\"ffn\":{\"type\":\"gated-mlp\""
                  + hidden
                  + "}}"),
          m -> ((CausalLm) m).logits(ids));
    }
  }

  @Test
  void worksOnEncoders() {
    Tensor ids = Tensor.randint(0, 30, 2, 9);
    check(
        model(
            "{\"model\":\"encoder\",\"layers\":2,\"width\":16,\"vocab\":30,\"length\":12,"
                + "\"labels\":3}"),
        m -> ((Encoder) m).logits(ids, null));
  }

  @Test
  void worksOnVisionTransformers() {
    Tensor images = Tensor.rand(2, 3, 32, 32);
    check(
        model("{\"model\":\"vit\",\"layers\":2,\"width\":32,\"mixer\":{\"heads\":2}}"),
        m -> ((VisionTransformer) m).logits(images));
  }

  @Test
  void likeUnitsComeTogether() {
    CausalLm model = language();
    // Unit u of each layer points where u mod 8 says.
    Tensor keys = Tensor.randn(8, 16).repeat(8, 1).add(Tensor.randn(64, 16).mul(0.05));
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.endsWith("ffn.up.weight")) {
                p.copyFrom(keys);
              }
            });
    Model made = new Emoe(8, 2, Emoe.Split.CLUSTERED, 1, 4).apply(model, null);
    assertEquals(PerLayer.Config.class, ((CausalLm) made).config().ffn().getClass());
    Tensor members = made.parameters().get("blocks.2.ffn.members").value();
    for (int e = 0; e < 8; e++) {
      Tensor remainders = members.select(0, e).remainder(8);
      assertEquals(
          1, java.util.Arrays.stream(remainders.toLongs()).distinct().count(), "expert " + e);
    }
    assertEquals(1, ModelRebuilder.all(made, dev.jformer.ffn.expert.EmergentExperts.class).size());
    Model united = new Unite().apply(made, null);
    assertEquals(model.config(), united.config());
  }

  @Test
  void refusesOtherModels() {
    CausalLm model = language();
    Model made = new Emoe().apply(model, null);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Emoe().apply(made, null));
    assertTrue(e.getMessage().contains("'emergent-experts'"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Unite().apply(model, null));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Emoe(8, 4, Emoe.Split.RANDOM, 4, 1).apply(model, null));
    assertThrows(IllegalArgumentException.class, () -> new Emoe(8, 9, Emoe.Split.RANDOM, 0, 1));
  }
}
