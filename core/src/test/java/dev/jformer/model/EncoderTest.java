package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.data.text.TextBatch;
import dev.jformer.hub.Models;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class EncoderTest {
  private static Encoder.Config config(String mixer, int labels) {
    return (Encoder.Config)
        Configs.parse(
            "{\"model\":\"encoder\",\"layers\":2,\"width\":16,\"vocab\":22,\"labels\":"
                + labels
                + ",\"length\":12,\"mixer\":{\"type\":\""
                + mixer
                + "\"}}",
            Model.Config.class);
  }

  /** Every mixer that looks both ways fits, and learns. */
  @Test
  void everyMixerFits() {
    int fit = 0;
    for (Map.Entry<String, TokenMixer.Config> part :
        Configs.parts(TokenMixer.Config.class).entrySet()) {
      Encoder model;
      try {
        model = config(part.getKey(), 3).build();
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().length() > 20, part.getKey() + " says why: " + e.getMessage());
        continue;
      }
      Tensor ids = Tensor.randint(0, 20, 2, 12);
      Tensor loss =
          Functional.crossEntropy(model.logits(ids, null), Tensor.of(new long[] {0, 2}), -1, 0);
      loss.add(model.mlmLogits(ids, null).square().mean()).backward();
      assertTrue(loss.isFinite().all(), part.getKey());
      Tensor table = model.parameters().get("embedding.weight").value();
      assertTrue(table.grad().isFinite().all(), part.getKey());
      model.close();
      fit++;
    }
    assertTrue(fit >= 15, fit + " mixers fit");
  }

  /** A text in a batch with longer ones is classified as it is alone. */
  @Test
  void paddingChangesNothing() {
    Encoder model = config("softmax", 3).build();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      int[] text = {3, 1, 4, 1, 5};
      int[] longer = {2, 7, 1, 8, 2, 8, 1, 8, 2};
      TextBatch alone = TextBatch.of(List.of(text), model.padding());
      TextBatch both = TextBatch.of(List.of(longer, text), model.padding());
      assertClose(
          model.logits(alone.ids(), alone.paddingMask()).toDoubles(),
          model.logits(both.ids(), both.paddingMask()).narrow(0, 1, 1),
          1e-5);
    }
  }

  /** The loss is the cross-entropy of the places asked for, as all scores have it. */
  @Test
  void fillsInWhatIsAskedFor() {
    Encoder model = config("softmax", 0).build();
    model.train(false);
    Tensor ids = Tensor.randint(0, 20, 2, 7);
    Tensor places = Tensor.of(new long[] {1, 4, 9, 13});
    Tensor targets = Tensor.of(new long[] {3, 0, 19, 7});
    Tensor all = model.mlmLogits(ids, null).flatten(0, 1).to(DType.FLOAT64).logSoftmax(1);
    double expected = -all.indexSelect(0, places).gather(1, targets.unsqueeze(1)).mean().item();
    assertEquals(expected, model.mlmLoss(ids, places, targets).item(), 1e-5);
    assertThrows(IllegalStateException.class, () -> model.logits(ids, null));
    assertThrows(
        IllegalArgumentException.class, () -> model.mlmLogits(Tensor.randint(0, 20, 1, 13), null));
  }

  @Test
  void classifierBeginsWithWhatFillsIn(@TempDir Path folder) throws IOException {
    Encoder before = config("softmax", 0).build();
    Encoder after = before.config().sized(20, 4).build();
    after.copyFrom(before);
    Tensor ids = Tensor.randint(0, 20, 2, 7);
    before.train(false);
    after.train(false);
    try (Mode mode = Autograd.noGrad()) {
      assertSame(before.mlmLogits(ids, null), after.mlmLogits(ids, null), "fillings");
      Models.save(after, folder);
      try (Encoder loaded = (Encoder) Models.load(folder)) {
        loaded.train(false);
        assertSame(after.logits(ids, null), loaded.logits(ids, null), "loaded");
      }
    }
  }

  private static Encoder.Config bert(String ends) {
    return (Encoder.Config)
        Configs.parse(
            "{\"model\":\"encoder\",\"layers\":1,\"width\":16,\"vocab\":22,\"length\":12,\"placement\":\"post\","
                + ends
                + "}",
            Model.Config.class);
  }

  /** A configuration that says nothing of its ends makes the model that it always made. */
  @Test
  void endsAreOptional() {
    Encoder plain = config("softmax", 0).build();
    assertTrue(
        plain.parameters().keySet().stream()
            .noneMatch(name -> name.contains("inputNorm") || name.contains("tokenTypes")));
    assertEquals(20, plain.mask());
    assertEquals(21, plain.padding());
    assertEquals(20, plain.config().tokens());
    Encoder whole =
        bert("\"embeddings\":{\"norm\":{\"type\":\"layer\"},\"tokenTypes\":2,\"mask\":4,\"padding\":0}")
            .build();
    assertTrue(
        whole
            .parameters()
            .keySet()
            .containsAll(
                List.of("trunk.inputNorm.weight", "tokenTypes.weight", "transform.weight")));
    assertEquals(4, whole.mask());
    assertEquals(0, whole.padding());
    Encoder.Config sized = whole.config().sized(19, 3);
    assertEquals(22, sized.vocab(), "the tokenizer's own mask and padding need no more ids");
    assertThrows(IllegalArgumentException.class, () -> sized.sized(23, 3));
    Tensor ids = Tensor.randint(0, 20, 2, 7);
    assertThrows(IllegalArgumentException.class, () -> plain.hidden(ids, ids, null));
    assertThrows(IllegalArgumentException.class, () -> whole.hidden(ids, null, null));
    Encoder bare = bert("\"head\":{\"fillsIn\":false},\"embeddings\":{\"padding\":1}").build();
    assertThrows(IllegalStateException.class, bare::mask);
    assertThrows(IllegalStateException.class, () -> bare.mlmLogits(ids, null));
    assertTrue(
        bare.parameters().keySet().stream()
            .noneMatch(name -> name.startsWith("transform") || name.startsWith("decoder")));
  }

  @Test
  void saysWhichEndsDoNotFit() {
    refused("\"embeddings\":{\"padding\":22,\"mask\":1}", "padding, 22");
    refused("\"embeddings\":{\"mask\":1}", "a mask needs padding");
    refused("\"embeddings\":{\"padding\":1}", "a masked language model needs");
    refused("\"embeddings\":{\"tokenTypes\":-1}", "tokenTypes is -1");
    refused("\"labels\":-1", "labels is -1");
  }

  private static void refused(String ends, String part) {
    String message = assertThrows(ConfigException.class, () -> bert(ends)).getMessage();
    assertTrue(message.contains(part), message);
  }
}
