package dev.jformer.compress.experts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Granularities;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ExtractTest {
  private static CausalLm model(String ffn) {
    Random.seed(5);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":3,\"width\":16,\"vocab\":30,\"length\":12,"
            + "\"init\":{\"deviation\":0.2},\"ffn\":"
            + ffn
            + "}";
    CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build();
    model
        .parameters()
        .forEach((n, p) -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.3)));
    model.train(false);
    return model;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void givesExactlyWhatTheNestedModelGives(boolean gated) {
    CausalLm nested =
        model("{\"type\":\"nested-mlp\",\"activation\":\"silu\",\"gated\":" + gated + "}");
    Granularities granularities = Granularities.of(nested);
    assertEquals(3, granularities.layers());
    assertEquals(4, granularities.count());
    Tensor ids = Tensor.randint(0, 30, 2, 12);
    try (Mode mode = Autograd.noGrad()) {
      for (List<Integer> each :
          List.of(List.of(0), List.of(1), List.of(2), List.of(3), List.of(0, 3, 1))) {
        if (each.size() == 1) {
          granularities.use(each.get(0));
        } else {
          granularities.use(each);
        }
        CausalLm extracted = (CausalLm) new Extract(each).apply(nested, null);
        assertTrue(nested.logits(ids).sameAs(extracted.logits(ids)), each.toString());
        assertEquals(0, Granularities.of(extracted).layers());
        assertTrue(extracted.parameterCount() <= nested.parameterCount());
        Class<?> plain = gated ? GatedMlp.Config.class : Mlp.Config.class;
        Class<?> kind = each.size() == 1 ? plain : PerLayer.Config.class;
        assertEquals(kind, extracted.config().ffn().getClass());
        CausalLm.Config read =
            (CausalLm.Config) Configs.parse(Configs.toJson(extracted.config()), Model.Config.class);
        assertEquals(extracted.config(), read);
      }
    }
  }

  @Test
  void drawsCombinationsOfTwoNeighbours() {
    Granularities granularities = Granularities.of(model("{\"type\":\"nested-mlp\"}"));
    Set<List<Integer>> drawn = new HashSet<>();
    for (int seed = 0; seed < 200; seed++) {
      List<Integer> each = granularities.draw(new SplittableRandom(seed));
      assertEquals(each, granularities.draw(new SplittableRandom(seed)), "of the same seed");
      assertEquals(Collections.min(each) + 1, Collections.max(each), each.toString());
      drawn.add(each);
    }
    assertEquals(3 * 6, drawn.size(), "all of three layers and four granularities");
    Granularities plain = Granularities.of(model("{\"type\":\"mlp\"}"));
    assertThrows(IllegalStateException.class, () -> plain.draw(new SplittableRandom(1)));
  }

  @Test
  void refusesWhatItCannotTakeOut() {
    CausalLm nested = model("{\"type\":\"nested-mlp\"}");
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> new Extract(List.of(0, 1)).apply(nested, null));
    assertTrue(e.getMessage().contains("one for each of the model's 3 layers"), e.getMessage());
    e = assertThrows(IllegalArgumentException.class, () -> new Extract(4).apply(nested, null));
    assertEquals("a granularity is 4: expected 0 to 3", e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Extract(0).apply(model("{\"type\":\"mlp\"}"), null));
    assertTrue(e.getMessage().contains("'nested-mlp'"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Extract(List.of()));
    assertThrows(IllegalArgumentException.class, () -> Granularities.of(nested).use(List.of(1, 2)));
  }
}
