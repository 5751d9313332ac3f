package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.ImageSource;
import dev.jformer.data.image.RandomMasks;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.inpaint.Codec;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.TreeSet;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class CodeLearningTest {
  @TempDir Path folder;
  private ImageFile file;
  private ImageSampler sampler;
  private Put model;

  @BeforeEach
  void makeImages() throws IOException {
    Path images = Files.createDirectories(folder.resolve("images"));
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 12; i++) {
      BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
      for (int p = 0; p < 64; p++) {
        image.setRGB(p % 8, p / 8, random.nextInt(256) * 0x010101);
      }
      ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
    }
    file =
        ImageFile.prepare(folder.resolve("pixels"), ImageSource.unlabelled(images), 8, done -> {});
    sampler = new ImageSampler(file, 0.5, Augmentation.none(), 4, 1);
    model =
        new Put.Config()
            .with(
                c ->
                    c.size(8)
                        .channels(1)
                        .patch(2)
                        .codec(
                            new Codec()
                                .with(k -> k.codes(9).hiddenCodes(5).codeWidth(4).revival(0))))
            .withStack(s -> s.layers(1).width(8))
            .build();
  }

  @AfterEach
  void closeImages() {
    file.close();
  }

  private Task task(CodeLearning objective) {
    return objective.of(new InpaintingTraining(model, sampler, new RandomMasks(), 1));
  }

  private Tensor images(Tensor pixels) {
    return pixels.mean(1, true).mul(2.0).sub(1.0);
  }

  /** Without erased parts and without the reference it is the loss of whole images. */
  @Test
  void theSharesSayWhatIsErasedAndWhatTheReferenceSees() {
    model.train(false);
    Tensor images = images(sampler.batch(3).images());
    Tensor all = Tensor.ones(4, 1, 8, 8).gt(0);
    double blind = model.codecLoss(images, all, all.not()).item();
    assertEquals(blind, task(new CodeLearning(0, 1)).loss(3).item(), 1e-6);
    assertNotEquals(blind, task(new CodeLearning(0, 0)).loss(3).item(), 1e-4);
    double erased = task(new CodeLearning(1, 1)).loss(3).item();
    assertNotEquals(blind, erased, 1e-4);
    assertEquals(erased, task(new CodeLearning(1, 1)).loss(3).item(), "depends on the number only");
    assertNotEquals(erased, task(new CodeLearning(1, 1)).loss(4).item(), 1e-4);
  }

  @Test
  void evaluationsDrawHeldOutImagesFromTheirCodesAlone() {
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Metrics metrics = task(new CodeLearning()).evaluate();
      TreeSet<Long> used = new TreeSet<>();
      double[] error = new double[1];
      sampler.heldOut(
          (pixels, labels) -> {
            Tensor images = images(pixels);
            for (int i = 0; i < images.size(0); i++) {
              Tensor one = images.narrow(0, i, 1);
              Tensor codes = model.targets(one);
              for (long code : codes.flatten(0, 1).toLongs()) {
                used.add(code);
              }
              Tensor nothing = Tensor.zeros(1, 1, 8, 8).gt(0);
              Tensor drawn =
                  model.codec().draw(model.codec().codebook().lookUp(codes), one, nothing);
              double[] a = drawn.contiguous().toDoubles();
              double[] b = one.contiguous().toDoubles();
              for (int p = 0; p < 64; p++) {
                error[0] += Math.abs(a[p] - b[p]) / 2 / 64 / 6;
              }
            }
          });
      assertEquals(error[0], metrics.get("error"), 1e-5);
      assertEquals(used.size(), metrics.get("codes used"));
    }
  }

  @Test
  void otherTasksAreRefused() {
    Task other = new DiffusionTraining(null, sampler);
    String message =
        assertThrows(IllegalArgumentException.class, () -> new CodeLearning().of(other))
            .getMessage();
    assertTrue(message.contains("a DiffusionTraining, has none"), message);
  }
}
