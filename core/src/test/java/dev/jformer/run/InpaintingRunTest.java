package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.CodeLearning;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class InpaintingRunTest {
  @TempDir Path folder;
  private TinyData data;

  @BeforeEach
  void makeData() {
    data = new TinyData(folder.resolve("data"));
  }

  private Recipe recipe() {
    return Configs.parse(data.json("inpainting"), Recipe.class);
  }

  /** Losses and evaluations of both parts, in order; calls back after a step of the first. */
  private static final class Log implements Progress {
    final List<Double> codes = new ArrayList<>();
    final List<Double> losses = new ArrayList<>();
    final List<Metrics> evaluations = new ArrayList<>();
    final List<byte[]> pictures = new ArrayList<>();
    private final int stopsAt;
    private final Runnable stop;

    Log(int stopsAt, Runnable stop) {
      this.stopsAt = stopsAt;
      this.stop = stop;
    }

    @Override
    public Progress pretraining() {
      return new Progress() {
        @Override
        public void step(Step step) {
          codes.add(step.loss());
          if (step.step() == stopsAt) {
            stop.run();
          }
        }

        @Override
        public void evaluation(Evaluation evaluation) {
          evaluations.add(evaluation.metrics());
        }
      };
    }

    @Override
    public void step(Step step) {
      losses.add(step.loss());
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      evaluations.add(evaluation.metrics());
    }

    @Override
    public void picture(byte[] png) {
      pictures.add(png);
    }
  }

  @Test
  void learnsCodesThenFillsInAndShowsFills() throws IOException {
    Log log = new Log(-1, () -> {});
    Path run = folder.resolve("run");
    Recipe recipe = recipe().with("training.steps", "60").with("training.evaluateEvery", "20");
    Metrics best = Run.train(recipe, run, log);
    assertEquals(60, log.codes.size());
    assertEquals(60, log.losses.size());
    assertTrue(log.codes.get(59) < 0.8 * log.codes.get(0), log.codes + "");
    assertTrue(log.evaluations.get(2).get("error") > 0);
    assertTrue(log.evaluations.get(2).get("codes used") > 1, "" + log.evaluations);
    assertTrue(best.loss() < Math.log(12), "better than guessing: " + best);
    assertEquals(3, log.pictures.size());
    assertEquals(
        6 * 64 + 5, ImageIO.read(new ByteArrayInputStream(log.pictures.get(2))).getWidth());
    try (Inpainter inpainter = Inpainter.load(run)) {
      Tensor image = Tensor.rand(3, 8, 6);
      Tensor hidden = Tensor.rand(8, 6).lt(0.3);
      List<Long> passes = new ArrayList<>();
      Tensor fills = inpainter.fill(image, hidden, 70, new InpaintingSettings(), passes::add);
      assertEquals("[70x3x8x6]", fills.shape().toString());
      assertEquals(inpainter.passes(hidden, 70), passes.get(passes.size() - 1));
      Tensor shown = image.maskedFill(hidden, 0);
      for (int i = 0; i < 70; i++) {
        assertTrue(shown.sameAs(fills.select(0, i).maskedFill(hidden, 0)), "visible pixels");
      }
      Tensor few = inpainter.fill(image, hidden, 2, new InpaintingSettings());
      assertTrue(few.sub(fills.narrow(0, 0, 2)).abs().max().item() < 1e-5, "by number");
      assertFalse(fills.select(0, 0).sameAs(fills.select(0, 1)));
      Tensor probable = inpainter.fill(image, hidden, 2, new InpaintingSettings(1, 1, 1));
      assertTrue(probable.select(0, 0).sub(probable.select(0, 1)).abs().max().item() < 1e-5);
      assertMessage("the count is 0", () -> inpainter.fill(image, hidden, 0, settings()));
      Tensor grey = Tensor.rand(3, 7, 6);
      assertMessage("a mask of the image's size", () -> inpainter.check(grey, hidden));
    }
    try (TrainedModel model = TrainedModel.load(run)) {
      EvaluationResult all =
          model.evaluate(EvaluationRequest.of(folder.resolve("data/images")), Progress.none());
      assertEquals(40, all.count());
      assertEquals(best.loss(), all.metrics().loss(), 0.2 * best.loss());
      EvaluationResult again =
          model.evaluate(EvaluationRequest.of(folder.resolve("data/images")), Progress.none());
      assertEquals(all.metrics(), again.metrics(), "the masks are the same each time");
    }
    Path other = folder.resolve("classifier");
    Run.train(Configs.parse(data.json("images"), Recipe.class), other, Progress.none());
    assertMessage("holds a vit: expected a model that fills in", () -> load(other));
  }

  private static InpaintingSettings settings() {
    return new InpaintingSettings();
  }

  private static void load(Path folder) {
    try {
      Inpainter.load(folder).close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Cut off while the codes are learned; RunTest does so behind. */
  @Test
  void aRunThatIsResumedAmongTheCodesRepeatsTheUninterruptedOne() throws IOException {
    Log whole = new Log(-1, () -> {});
    Run.train(recipe(), folder.resolve("whole"), whole);
    Path parts = folder.resolve("parts");
    Run first = Run.begin(recipe(), parts, false);
    Log log = new Log(6, first::stop);
    assertTrue(first.train(log).isInterrupted());
    assertEquals(6, log.codes.size());
    Random.seed(99);
    Log rest = new Log(-1, () -> {});
    Run.resume(parts, rest);
    log.codes.addAll(rest.codes);
    log.evaluations.addAll(rest.evaluations);
    assertEquals(whole.codes, log.codes);
    assertEquals(whole.losses, rest.losses);
    assertEquals(whole.evaluations, log.evaluations);
  }

  /** The first part changes the auto-encoder only, the second one the Transformer only. */
  @Test
  void theCodesStayWhileTheTransformerLearns() throws IOException {
    Path run = folder.resolve("run");
    Run.train(recipe(), run, Progress.none());
    Path more = folder.resolve("more");
    Recipe next = Configs.parse(data.json("inpainting", run), Recipe.class);
    next = next.with("pretraining.objective", "plain").with("training.learningRate", "1e-4");
    Run.train(next, more, Progress.none());
    try (Inpainter before = Inpainter.load(run);
        Inpainter after = Inpainter.load(more)) {
      after
          .model()
          .parameters()
          .forEach(
              (name, p) -> {
                Tensor then = before.model().parameters().get(name).value();
                assertEquals(name.startsWith("codec"), p.value().sameAs(then), name);
              });
    }
  }

  /** Images need no folders named after classes. */
  @Test
  void imagesMayLieInOneFolder() throws IOException {
    Path images = folder.resolve("data/images");
    Path flat = Files.createDirectories(folder.resolve("flat"));
    for (String name : List.of("bright", "dark")) {
      for (int i = 0; i < 8; i++) {
        Files.copy(images.resolve(name).resolve(i + ".png"), flat.resolve(name + i + ".png"));
      }
    }
    Recipe recipe = recipe().withData(flat);
    assertTrue(Run.train(recipe, folder.resolve("run"), Progress.none()).loss() > 0);
  }

  @Test
  void namesSettingsThatMakeNoSense() {
    Recipe recipe = recipe();
    assertMessage(
        "the codes of patches must be learned first",
        () -> train(recipe.with("pretraining.objective", "plain")));
    assertInvalid("mixtures", () -> recipe.with("data.augmentation.mixup", "0.2"));
    assertInvalid("mixtures", () -> recipe.with("data.augmentation.cutmix", "0.2"));
    assertInvalid("at most the largest share", () -> recipe.with("data.masks.least", "0.7"));
    Recipe classifier = Configs.parse(data.json("images"), Recipe.class).with("objective", "codes");
    assertInvalid("expected data of type 'masked-images'", () -> train(classifier));
    assertThrows(IllegalArgumentException.class, () -> new CodeLearning(1.1, 0));
    assertThrows(IllegalArgumentException.class, () -> new InpaintingSettings(0, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new InpaintingSettings(1, 0, 1));
  }

  private void train(Recipe recipe) {
    try {
      Run.train(recipe, folder.resolve("wrong"), Progress.none());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void assertMessage(String expected, Runnable work) {
    String message = assertThrows(RunException.class, work::run).getMessage();
    assertTrue(message.contains(expected), message);
  }

  private static void assertInvalid(String expected, Runnable work) {
    String message = assertThrows(RuntimeException.class, work::run).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
