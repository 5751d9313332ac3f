package dev.jformer.run;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class DiffusionRunTest {
  @TempDir Path folder;
  private TinyData data;

  @BeforeEach
  void makeData() {
    data = new TinyData(folder.resolve("data"));
  }

  private Recipe recipe() {
    return recipe("diffusion");
  }

  private Recipe recipe(String kind) {
    return Configs.parse(data.json(kind), Recipe.class);
  }

  /** Bright and dark images are told apart by the class that is asked for. */
  @ParameterizedTest
  @ValueSource(strings = {"diffusion", "unet"})
  void learnsClassesAndShowsSamplesWhileItLearns(String kind) throws IOException {
    List<byte[]> pictures = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    Path run = folder.resolve("run");
    Recipe recipe = recipe(kind).with("training.steps", "150").with("training.evaluateEvery", "50");
    Progress log =
        new Progress() {
          @Override
          public void picture(byte[] png) {
            pictures.add(png);
          }

          @Override
          public void evaluation(Evaluation evaluation) {
            losses.add(evaluation.value());
          }
        };
    Metrics best = Run.train(recipe, run, log);
    assertEquals(3, pictures.size());
    assertEquals(97, ImageIO.read(new ByteArrayInputStream(pictures.get(2))).getWidth());
    assertTrue(losses.get(2) < losses.get(0), losses + "");
    try (ImageGenerator generator = ImageGenerator.load(run)) {
      assertEquals(List.of("bright", "dark"), generator.labels());
      Tensor bright = generator.generate(generator.number("bright"), 20, new ImageSampling());
      Tensor dark = generator.generate(generator.number("1"), 20, new ImageSampling());
      assertEquals("[20x1x8x8]", bright.shape().toString());
      // The means of the data are 0.69 and 0.31.
      assertTrue(bright.mean().item() > 0.55, "bright: " + bright.mean().item());
      assertTrue(dark.mean().item() < 0.45, "dark: " + dark.mean().item());
    }
    try (TrainedModel model = TrainedModel.load(run)) {
      EvaluationResult all =
          model.evaluate(EvaluationRequest.of(folder.resolve("data/images")), Progress.none());
      assertEquals(40, all.count());
      assertEquals(best.loss(), all.metrics().loss(), 0.2 * best.loss());
      EvaluationResult again =
          model.evaluate(EvaluationRequest.of(folder.resolve("data/images")), Progress.none());
      assertEquals(all.metrics(), again.metrics(), "the noise is the same each time");
    }
  }

  @Test
  void anImageDependsOnTheSeedAndItsNumberOnly() throws IOException {
    Path run = folder.resolve("run");
    Run.train(recipe(), run, Progress.none());
    try (ImageGenerator generator = ImageGenerator.load(run)) {
      ImageSampling few = new ImageSampling(3, 2, 7);
      List<Long> steps = new ArrayList<>();
      Tensor many = generator.generate(1, 70, few, steps::add);
      assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L), steps);
      assertEquals(6, ImageGenerator.steps(70, few));
      Tensor first = generator.generate(1, 2, few);
      assertClose(many.narrow(0, 0, 2).contiguous(), first, 1e-5);
      assertFalse(first.select(0, 0).sameAs(first.select(0, 1)));
      assertFalse(first.sameAs(generator.generate(1, 2, new ImageSampling(3, 2, 8))));
      assertFalse(first.sameAs(generator.generate(-1, 2, few)), "without a class");

      assertMessage("the class is 2: expected 0 to 1", () -> generator.generate(2, 1, few));
      assertMessage("the count is 0", () -> generator.generate(0, 0, few));
      assertMessage("expected a number from 0 to 1, or one of bright", () -> generator.number("2"));
      assertMessage("there is no class 'brihgt'", () -> generator.number("brihgt"));
    }
    Path images = folder.resolve("classifier");
    Run.train(Configs.parse(data.json("images"), Recipe.class), images, Progress.none());
    assertMessage("holds a vit: expected a model that makes images", () -> load(images));
    assertThrows(IllegalArgumentException.class, () -> new ImageSampling(0, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new ImageSampling(9, -1, 1));
  }

  private static void load(Path folder) {
    try {
      ImageGenerator.load(folder).close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The base stays as it is; the adapter's folder has what makes images of its classes. */
  @ParameterizedTest
  @CsvSource({
    "diffusion, affiner",
    "diffusion, lora",
    "diffusion, bitfit",
    "unet, affiner",
    "unet, eva"
  })
  void anAdapterLearnsOtherClassesBesideTheBase(String kind, String adapter) throws IOException {
    Path base = folder.resolve("base");
    Run.train(recipe(kind), base, Progress.none());
    byte[] before = Files.readAllBytes(base.resolve("model.safetensors"));
    Path images = folder.resolve("data/images");
    Files.move(images.resolve("dark"), images.resolve("night"));
    Path out = folder.resolve("adapted");
    Recipe recipe = Configs.parse(data.json(kind, base), Recipe.class).with("adapter", adapter);
    recipe = adapter.equals("bitfit") ? recipe : recipe.with("adapter.rank", "2");
    Run.train(recipe, out, Progress.none());
    assertFalse(Files.exists(out.resolve("model.safetensors")));
    try (ImageGenerator made = ImageGenerator.load(out);
        ImageGenerator bare = ImageGenerator.load(base)) {
      assertEquals(List.of("bright", "night"), made.labels());
      ImageSampling few = new ImageSampling(3, 1, 1);
      assertFalse(made.generate(0, 1, few).sameAs(bare.generate(0, 1, few)));
      Map<String, Parameter> theirs = bare.model().parameters();
      Parameter classes = theirs.get(DiffusionModel.CLASSES);
      Tensor learned = made.model().parameters().get(DiffusionModel.CLASSES).value();
      assertFalse(learned.sameAs(classes.value()), "embeddings of classes are trained whole");
    }
    assertArrayEquals(before, Files.readAllBytes(base.resolve("model.safetensors")));
  }

  /** Against images made one by one, features of the head's input, and a naive distance. */
  @Test
  void imagesAreJudgedByAClassifier() throws IOException {
    Path run = folder.resolve("run");
    Path judge = folder.resolve("judge");
    Run.train(recipe().with("training.steps", "30"), run, Progress.none());
    Run.train(judging("8"), judge, Progress.none());
    Path images = folder.resolve("data/images");
    EvaluationRequest request = EvaluationRequest.of(images);
    try (TrainedModel model = TrainedModel.load(run)) {
      List<String> shown = new ArrayList<>();
      Progress log =
          new Progress() {
            @Override
            public Work begin(String name, long total, String unit) {
              shown.add(name + " " + total);
              return done -> {};
            }
          };
      EvaluationResult judged =
          model.evaluate(request.withJudging(new ImageJudging(judge, 24, 5)), log);
      assertTrue(shown.contains("making images 18"), shown + "");
      double distance = judged.metrics().get("frechetDistance");
      assertEquals(distance(run, judge, 24, 5), distance, 1e-6 * (1 + distance));
      assertEquals("loss", judged.metrics().primary().name());
      EvaluationResult again =
          model.evaluate(request.withJudging(new ImageJudging(judge, 24, 5)), Progress.none());
      assertEquals(judged.metrics(), again.metrics());
      EvaluationResult other =
          model.evaluate(request.withJudging(new ImageJudging(judge, 24, 6)), Progress.none());
      assertTrue(other.metrics().get("frechetDistance") != distance, "another seed");

      assertJudged("takes images of 4 pixels a side", model, trained(judging("4"), "small"), 24);
      assertJudged("is a dit: expected a classifier of images", model, run, 24);
      assertJudged("to make is 8, expected at least 9", model, judge, 8);
      Path wide = trained(judging("8").with("model.width", "48"), "wide");
      assertJudged("the data has 40, expected at least 49", model, wide, 100);
      assertThrows(IllegalArgumentException.class, () -> new ImageJudging(judge, 1, 1));
    }
  }

  private Recipe judging(String size) {
    return Configs.parse(data.json("images"), Recipe.class)
        .with("model.size", size)
        .with("model.width", "8")
        .with("training.steps", "3");
  }

  private Path trained(Recipe recipe, String name) throws IOException {
    Run.train(recipe, folder.resolve(name), Progress.none());
    return folder.resolve(name);
  }

  private void assertJudged(String expected, TrainedModel model, Path judge, int count) {
    EvaluationRequest request =
        EvaluationRequest.of(folder.resolve("data/images"))
            .withJudging(new ImageJudging(judge, count, 1));
    assertMessage(
        expected,
        () -> {
          try {
            model.evaluate(request, Progress.none());
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  /** The distance of half bright, half dark images from the data, by other means. */
  private double distance(Path run, Path judge, int count, long seed) throws IOException {
    try (ImageGenerator generator = ImageGenerator.load(run);
        dev.jformer.model.vision.ImageModel classifier =
            (dev.jformer.model.vision.ImageModel) dev.jformer.hub.Models.load(judge);
        dev.jformer.data.image.ImageFile file =
            ImageReading.read(
                folder.resolve("data/images"),
                folder.resolve("again"),
                8,
                classifier.config().framing(),
                Progress.none())) {
      ImageSampling sampling = new ImageSampling(18, 1, seed);
      Tensor bright = generator.generate(0, count, sampling);
      Tensor dark = generator.generate(1, count, sampling);
      classifier.train(false);
      classifier.replace("head", new dev.jformer.nn.Identity()).close();
      List<Tensor> made = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int label = file.header().labels().get(i * file.count() / count);
        Tensor image = (label == 0 ? bright : dark).narrow(0, i, 1);
        made.add(classifier.logits(Tensor.cat(1, image, image, image)).detach());
      }
      List<Tensor> real = new ArrayList<>();
      dev.jformer.data.image.ImageSampler.all(
          file, (images, labels) -> real.add(classifier.logits(images).detach().keep()));
      return dev.jformer.metrics.FrechetDistance.of(
          Tensor.cat(0, made.toArray(Tensor[]::new)), Tensor.cat(0, real.toArray(Tensor[]::new)));
    }
  }

  @Test
  void namesSettingsThatMakeNoSense() {
    assertRefused("data.augmentation", "{\"mixup\":0.2}", "mixes images");
    assertRefused("data.smoothing", "0.1", "predicts no classes");
    assertRefused("training.recompute", "true", "cannot be recomputed");
  }

  private void assertRefused(String field, String value, String expected) {
    Recipe wrong = recipe().with(field, value);
    assertMessage(
        expected,
        () -> {
          try {
            Run.train(wrong, folder.resolve("wrong"), Progress.none());
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }

  private static void assertMessage(String expected, Runnable work) {
    String message = assertThrows(RunException.class, work::run).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
