package dev.jformer.compress.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.cache.StaircaseCache;
import dev.jformer.mixer.cache.StaircaseCache.Step;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class StaircaseCachingTest {
  private static final Compression SMALL =
      new StaircaseCaching(4, 8, List.of(new Step(4, 8), new Step(12, 2)));

  private static Model model(String fields) {
    return Configs.parse(
            "{\"model\": \"causal-lm\", \"layers\": 2, \"width\": 32, \"vocab\": 11,"
                + " \"length\": 40"
                + fields
                + "}",
            Model.Config.class)
        .build();
  }

  private static CausalLm plain() {
    return (CausalLm) model(", \"mixer\": {\"type\": \"softmax\", \"keyValueHeads\": 1}");
  }

  private static Tensor ids() {
    return Tensor.randint(0, 11, 2, 40);
  }

  private static Tensor decoded(CausalLm model, Tensor ids) {
    try (CausalLm.Decoding decoding = model.decode(2, 40)) {
      Tensor last = decoding.next(ids.narrow(1, 0, 1));
      for (int t = 1; t < 40; t++) {
        last = decoding.next(ids.narrow(1, t, 1));
      }
      return last;
    }
  }

  @Test
  void changesDecodingAlone() {
    CausalLm model = plain();
    model.parameters().values().forEach(p -> p.copyFrom(p.value().detach().mul(8)));
    CausalLm result = (CausalLm) SMALL.apply(model, null);
    Tensor ids = ids();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      assertTrue(model.logits(ids).sameAs(result.logits(ids)), "whole sequences");
      Tensor exact = decoded(model, ids);
      Tensor rounded = decoded(result, ids);
      assertFalse(exact.sameAs(rounded));
      double distance = exact.sub(rounded).norm().item() / exact.norm().item();
      assertTrue(distance < 0.5, "distance " + distance);
      try (CausalLm.Decoding full = model.decode(2, 40);
          CausalLm.Decoding small = result.decode(2, 40)) {
        full.next(ids);
        small.next(ids);
        assertTrue(small.bytes() < full.bytes(), small.bytes() + " of " + full.bytes());
      }
    }
  }

  @Test
  void savesAndLoads(@TempDir Path folder) throws IOException {
    Model result = SMALL.apply(plain(), null);
    Models.save(result, folder);
    CausalLm loaded = (CausalLm) Models.load(folder);
    assertEquals(result.config(), loaded.config());
    Tensor ids = ids();
    try (Mode mode = Autograd.noGrad()) {
      assertTrue(decoded((CausalLm) result, ids).sameAs(decoded(loaded, ids)));
    }
  }

  @Test
  void goesTogetherWithQuantizedWeights() {
    Model quantized =
        new Ptq().apply(plain(), m -> ((CausalLm) m).logits(Tensor.randint(0, 11, 2, 40)));
    CausalLm both = (CausalLm) SMALL.apply(quantized, null);
    try (Mode mode = Autograd.noGrad()) {
      Tensor ids = ids();
      assertTrue(((CausalLm) quantized).logits(ids).sameAs(both.logits(ids)));
    }
  }

  @Test
  void isFoundByName() {
    Compression read =
        Configs.parse("{\"type\": \"staircase-cache\", \"group\": 16}", Compression.class);
    assertEquals(
        new StaircaseCaching(
            new StaircaseCache.Config(16, 32, new StaircaseCache.Config().steps())),
        read);
    assertEquals(Compression.Needs.NOTHING, read.needs());
  }

  @Test
  void refusesModelsThatItDoesNotSuit() {
    Model once = SMALL.apply(plain(), null);
    assertTrue(refused(once).contains("not 'staircase'"));
    assertTrue(refused(model(", \"mixer\": {\"type\": \"flow\"}")).contains("not 'flow'"));
    Model forecaster =
        Configs.parse("{\"model\": \"linear-forecaster\"}", Model.Config.class).build();
    assertTrue(refused(forecaster).contains("'linear-forecaster'"));
    assertThrows(IllegalArgumentException.class, () -> new StaircaseCaching(3, 8, List.of()));
  }

  private static String refused(Model model) {
    return assertThrows(IllegalArgumentException.class, () -> SMALL.apply(model, null))
        .getMessage();
  }
}
