package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Batch;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Arms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeldOutTextTest {
  private static final SoftmaxAttention.Config MIXER = new SoftmaxAttention.Config(2, 0);

  @TempDir private Path folder;

  private TokenFile text(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("text.txt"), text);
    return TokenFile.prepare(
        folder.resolve("t"), Corpus.open(file, List.of()), new ByteTokenizer(), 0.5, bytes -> {});
  }

  private static CausalLm model() {
    Random.seed(1);
    CausalLm model = Small.language(1, 16, 16, MIXER).build();
    model.train(false);
    return model;
  }

  @Test
  void lossIsThatOfTheTask() throws IOException {
    try (TokenFile text = text("to be or not to be ".repeat(40));
        CausalLm model = model()) {
      double loss = HeldOutText.loss(text, 4, 16, 100, ids -> model.logits(ids).logSoftmax(2));
      assertEquals(LanguageModelling.evaluate(model, text, 4, 100), loss, 1e-5);
      double ones = HeldOutText.mean(text, 4, 16, 100, batch -> batch.targets().ge(0));
      assertEquals(1, ones, "every target counts once");
    }
  }

  @Test
  void frequenciesOfTwoBytesAreOneBit() throws IOException {
    try (TokenFile text = text("ab".repeat(101))) {
      double bits = HeldOutText.frequencies(text) / Math.log(2);
      assertEquals(1, bits, 0.01);
    }
  }

  @Test
  void decodingStepByStepGivesTheLossOfTheWhole() throws IOException {
    try (TokenFile text = text("to be or not to be ".repeat(40));
        Mode mode = Autograd.noGrad();
        CausalLm model = model()) {
      List<Batch> batches = HeldOutText.batches(text, 2, 16, 1);
      assertEquals(1, batches.size());
      Decoded decoded = Decoded.of(model, batches.get(0));
      Decoded.Outcome same = decoded.beside(decoded);
      assertEquals(LanguageModelling.evaluate(model, text, 2, 1), same.loss(), 1e-5);
      assertEquals(1, same.agreement());
      assertEquals(1, same.together());
      assertTrue(same.bytes() >= 2 * 16 * 16 * 4, "keys and values of 16 tokens: " + same);
      Tensor other = decoded.greedy().add(Tensor.of(new long[] {0, 0, 1, 0, 0, 0, 0, 0}, 1, 8));
      Decoded parted = new Decoded(0, 0, decoded.likeliest(), other);
      assertEquals(2 / 8.0, parted.beside(decoded).together(), "until the first that differs");
    }
  }

  @Test
  void stepsAndUpdatesAreMeasuredInTurns() {
    Arms<TokenMixer.Config> mixers =
        Arms.<TokenMixer.Config>of("four", new SoftmaxAttention.Config(4, 0))
            .arm("one", new SoftmaxAttention.Config(4, 1));
    StepCost cost = StepCost.measure(mixers, 16, 8, 2);
    assertEquals(0.25, cost.share("one", "four"), "keys and values of one head");
    assertTrue(cost.ms("one") > 0, cost.toString());
    TimedArms updates =
        TimedArms.updates(Arms.of("small", Small.language(1, 16, 16, MIXER)).settings(), 2, 3);
    assertEquals(1, updates.ratio("small", "small").value());
    assertEquals(3, updates.timings().seconds().get(0).size());
  }
}
