package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.Masks;
import dev.jformer.compress.quantize.Ptq;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Listener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compressions are tried on models of all kinds through one interface. */
class SubjectTest {
  private static final SoftmaxAttention.Config MIXER = new SoftmaxAttention.Config(2, 0);

  @TempDir private Path folder;

  /** Rounding to 8 bits needs calibration data, and changes outputs a little. */
  private static void tried(Subject subject, int inputs) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Model model = subject.model();
      double[] exact = subject.outputs(model).toDoubles();
      assertArrayEquals(exact, subject.outputs(model).toDoubles(), "the same examples");
      double most = subject.compressed(new Ptq(), made -> difference(subject, made, exact));
      assertTrue(most > 0 && most < 1, "largest difference " + most);
      assertEquals(inputs, subject.forward(model, subject.inputs(inputs)).size(0));
      assertTrue(subject.timesAsLong(model, subject.inputs(1), 1) > 0);
      double whole = subject.quality(model);
      assertEquals(0, subject.relativeLoss(pruned(0), whole), 1e-6);
    }
  }

  private static double difference(Subject subject, Model made, double[] exact) {
    assertNotSame(subject.model(), made);
    double[] outputs = subject.outputs(made).toDoubles();
    double most = 0;
    for (int i = 0; i < exact.length; i++) {
      most = Math.max(most, Math.abs(outputs[i] - exact[i]));
    }
    return most;
  }

  @Test
  void languageModels() throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    try (TokenFile text =
            TokenFile.prepare(folder.resolve("t"), corpus, new ByteTokenizer(), 0.2, bytes -> {});
        CausalLm model = built()) {
      Subject subject = Subject.language(model, text, 2, 2, 4, 2);
      tried(subject, 3);
      double whole = subject.quality(model);
      double lost = subject.relativeLoss(pruned(0.9), whole);
      double quality = subject.compressed(pruned(0.9), subject::quality);
      assertEquals(quality / whole - 1, lost, 1e-12, "a higher loss is worse");
      assertSame(model, subject.compressed(List.of(), made -> made), "without methods");
      long bytes =
          subject.compressed(List.of(pruned(0.5), new WeightInt8()), Model::parameterBytes);
      assertTrue(bytes < subject.compressed(new WeightInt8(), Model::parameterBytes), "" + bytes);
    }
  }

  private static Compression pruned(double sparsity) {
    return new Magnitude(sparsity, Masks.Reach.GLOBAL);
  }

  private static CausalLm built() {
    Random.seed(1);
    CausalLm model = Small.language(1, 16, 16, MIXER).build();
    model.train(false);
    return model;
  }

  @Test
  void images() {
    record Tried(double right) {}

    Tried tried =
        new ImageTrial(
                Scale.SMOKE,
                Small.vision(8, 1, 16, MIXER, new Mlp.Config()),
                Small.training(2, 4, 1),
                0)
            .withHeldOut(0.5)
            .examined(
                Tried.class,
                (model, images, result) -> {
                  Subject subject = images.subject(model, 2, 2);
                  tried(subject, 3);
                  assertTrue(subject.loss(model).item() > 0, "images have labels");
                  return new Tried(subject.quality(model));
                })
            .run(Trial.Session.of(null, 1));
    assertTrue(tried.right() > 0);
  }

  @Test
  void sentences() {
    try (TextPairs pairs = new TextPairs(Scale.SMOKE, 3)) {
      Subject subject = Subject.sentences(pairs, 2);
      tried(subject, 3);
      double lost = subject.relativeLoss(pruned(0.9), 50);
      double quality = subject.compressed(pruned(0.9), subject::quality);
      assertEquals(1 - quality / 50, lost, 1e-12, "a lower correlation is worse");
    }
  }

  @Test
  void storedSizeIsThatOfTheFile() {
    try (CausalLm model = built()) {
      long bytes = StoredSize.bytes(model);
      assertTrue(bytes > model.parameterBytes() && bytes < model.parameterBytes() + 5000);
    }
  }

  @Test
  void listenersAreMadeForTheModelBeforeItLearns() throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    try (TokenFile text =
        TokenFile.prepare(folder.resolve("t"), corpus, new ByteTokenizer(), 0.2, bytes -> {})) {
      List<Long> steps = new ArrayList<>();
      long[] weights = new long[1];
      TrainingResult result =
          new LanguageTrial(Small.language(1, 16, 16, MIXER), Small.training(3, 2, 1), 2, null)
              .withListener(
                  model -> {
                    weights[0] = model.parameterCount();
                    return new Listener() {
                      @Override
                      public void step(Step step) {
                        steps.add(step.step());
                      }
                    };
                  })
              .run(Trial.Session.of(text, 1));
      assertEquals(result.parameters(), weights[0]);
      assertEquals(List.of(1L, 2L, 3L), steps);
    }
  }
}
