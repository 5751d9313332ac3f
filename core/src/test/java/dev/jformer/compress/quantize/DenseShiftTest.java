package dev.jformer.compress.quantize;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.compress.Folding;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.shift.ShiftLinear;
import dev.jformer.nn.shift.ShiftLinear.Arithmetic;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose weights are stored as powers of two (DenseShift, arXiv 2208.09708). */
@ExtendWith(Scoped.class)
class DenseShiftTest {
  private static final Tensor IDS =
      Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, 2, 5).keep();

  @TempDir private Path folder;

  private static CausalLm language(String projection) {
    Random.seed(2);
    String json =
        "{'model':'causal-lm','layers':2,'width':64,'vocab':80,'length':8,'mixer':{'heads':2},"
            + "'projection':{"
            + projection
            + "}}";
    CausalLm model = (CausalLm) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'type':'denseshift','bits':2",
        "'type':'denseshift'",
        "'type':'denseshift','bits':4",
        "'type':'shift-rounded'"
      })
  void whatWasTrainedSoIsStoredAndGivesWhatItGave(String projection) throws IOException {
    CausalLm model = language(projection);
    Tensor logits = model.logits(IDS).detach().copy();
    CausalLm stored = (CausalLm) new DenseShift().apply(model, null);
    assertClose(logits, stored.logits(IDS), 1e-5);
    assertSame(logits, model.logits(IDS), "the source's logits");
    Models.save(model, folder.resolve("training"));
    Models.save(stored, folder.resolve("stored"));
    CausalLm loaded = (CausalLm) Models.load(folder.resolve("stored"));
    assertEquals(stored.config(), loaded.config());
    assertSame(stored.logits(IDS), loaded.logits(IDS), "logits");
    long before = Files.size(folder.resolve("training").resolve("model.safetensors"));
    long after = Files.size(folder.resolve("stored").resolve("model.safetensors"));
    assertTrue(after < 0.25 * before, after + " of " + before);

    CausalLm integers = (CausalLm) new DenseShift(3, Arithmetic.SHIFTS).apply(model, null);
    double apart = integers.logits(IDS).sub(logits).norm().item() / logits.norm().item();
    assertTrue(apart > 0 && apart < 0.05, "8-bit activations are off by " + apart);
    CausalLm changed = (CausalLm) new DenseShift(3, Arithmetic.SHIFTS).apply(stored, null);
    assertSame(integers.logits(IDS), changed.logits(IDS), "stored before its arithmetic changed");
    CausalLm folded = (CausalLm) new Folding().apply(model, null);
    assertEquals(stored.config(), folded.config());
    assertSame(stored.logits(IDS), folded.logits(IDS), "folded");
    var error =
        assertThrows(IllegalArgumentException.class, () -> new WeightInt8().apply(stored, null));
    assertTrue(error.getMessage().contains("not 'shift'"), error.getMessage());
  }

  @Test
  void ofPlainModelsItRoundsTheWeights() throws IOException {
    CausalLm model = language("'type':'linear'");
    Tensor logits = model.logits(IDS).detach().copy();
    double before = Double.MAX_VALUE;
    for (int bits = 2; bits <= 4; bits++) {
      CausalLm made = (CausalLm) new DenseShift(bits, Arithmetic.FLOATS).apply(model, null);
      double apart = made.logits(IDS).sub(logits).norm().item() / logits.norm().item();
      assertTrue(apart < before && apart < 0.6, bits + " bits are off by " + apart);
      before = apart;
      Models.save(made, folder.resolve("" + bits));
      assertSame(
          made.logits(IDS),
          ((CausalLm) Models.load(folder.resolve("" + bits))).logits(IDS),
          "logits");
      assertEquals(bits, ((ShiftLinear.Config) made.config().projection()).bits());
    }
    assertEquals(
        new DenseShift(3, Arithmetic.SHIFTS),
        Configs.parse(
            "{\"type\":\"denseshift\",\"bits\":3,\"arithmetic\":\"shifts\"}", Compression.class));
    model.parameters().get("blocks.0.ffn.up.weight").value().detach().fill_(Double.NaN);
    var error =
        assertThrows(IllegalArgumentException.class, () -> new DenseShift().apply(model, null));
    assertTrue(error.getMessage().contains("blocks.0.ffn.up"), error.getMessage());
  }

  @Test
  void gradientsReachAllLatentNumbers() {
    CausalLm model = language("'type':'denseshift'");
    model.train(true);
    Functional.crossEntropy(model.logits(IDS).reshape(-1, 80), IDS.reshape(-1), -1, 0).backward();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              if (name.endsWith(".sign") || name.endsWith(".shifts") || name.endsWith(".scale")) {
                assertTrue(p.value().grad().abs().max().item() > 0, name);
              }
            });
  }
}
