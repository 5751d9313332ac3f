package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From folders of images to images of a class, by commands alone. */
class SampleCommandTest {
  @TempDir private Path folder;

  /** Images of two classes: dark left halves, and dark right halves; of several sizes. */
  private Path images() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    for (String side : List.of("left", "right")) {
      Path place = Files.createDirectories(folder.resolve("images").resolve(side));
      for (int i = 0; i < 24; i++) {
        int size = 8 + 4 * (i % 3);
        BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < size * size; p++) {
          boolean dark = (p % size < size / 2) == side.equals("left");
          int level = (dark ? 20 : 200) + random.nextInt(30);
          image.setRGB(p % size, p / size, level * 0x010101);
        }
        ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
      }
    }
    return folder.resolve("images");
  }

  private Outcome train(Path data, Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "train",
                "--task",
                "diffusion",
                "--data",
                data.toString(),
                "--out",
                "" + out,
                "--steps",
                "300"));
    for (String field :
        List.of(
            "model.size=8",
            "model.channels=1",
            "model.width=32",
            "model.layers=2",
            "model.headDim=16",
            "model.patchMixer.layers=1",
            "model.masking.share=0.25",
            "training.batch=16",
            "training.ema=0.95",
            "training.schedule.warmup=10",
            "training.learningRate=0.003",
            "training.evaluateEvery=100")) {
      arguments.add("--set");
      arguments.add(field);
    }
    arguments.addAll(List.of(more));
    return Outcome.of(arguments.toArray(String[]::new));
  }

  /** The model is another network, its adapter's folder another model that makes images. */
  @Test
  void aUNetAndItsAdapterMakeImagesToo() throws IOException {
    Path data = images();
    Path run = folder.resolve("unet");
    List<String> arguments =
        new ArrayList<>(
            List.of("train", "--task", "diffusion", "--data", "" + data, "--out", "" + run));
    for (String field :
        List.of(
            "model.model=unet",
            "model.size=8",
            "model.channels=1",
            "model.widths=[8,16]",
            "model.headDim=8",
            "training.steps=4",
            "training.batch=4")) {
      arguments.addAll(List.of("--set", field));
    }
    Outcome trained = Outcome.of(arguments.toArray(String[]::new));
    assertEquals(0, trained.code(), trained.err());
    assertTrue(trained.err().contains("unet, images of 8 x 8, 2 classes"), trained.err());
    Path adapted = folder.resolve("adapted");
    Outcome tuned =
        Outcome.of(
            "train",
            "--task",
            "diffusion",
            "--from",
            "" + run,
            "--data",
            "" + data,
            "--adapter",
            "affiner",
            "--set",
            "adapter.rank=1",
            "--steps",
            "2",
            "--out",
            "" + adapted);
    assertEquals(0, tuned.code(), tuned.err());
    for (Path model : List.of(run, adapted)) {
      Path grid = model.resolve("grid.png");
      Outcome made = Outcome.of("sample", "" + model, "--class", "left", "--out", "" + grid);
      assertEquals(0, made.code(), made.err());
      assertTrue(ImageIO.read(grid.toFile()).getWidth() > 0);
    }
    Outcome wrong = Outcome.of("sample", "" + run, "--class", "2", "--out", "x.png");
    assertEquals(1, wrong.code());
    assertTrue(wrong.err().contains("expected a number from 0 to 1"), wrong.err());
    arguments.addAll(List.of("--set", "model.size=9", "--overwrite"));
    Outcome odd = Outcome.of(arguments.toArray(String[]::new));
    assertTrue(odd.err().contains("size is 9: expected a multiple of 2"), odd.err());
  }

  @Test
  void imagesOfAClassAreMadeInTwoCommands() throws IOException {
    Path run = folder.resolve("run");
    Outcome trained = train(images(), run);
    assertEquals(0, trained.code(), trained.err());
    assertTrue(trained.err().contains("2 classes"), trained.err());
    String report = Files.readString(run.resolve("report.html"));
    assertTrue(report.contains("Made at step 100") && report.contains("Made at step 300"));
    assertTrue(report.contains("data:image/png;base64,"));

    Path grid = folder.resolve("grid.png");
    Outcome made =
        Outcome.of(
            "sample",
            "" + run,
            "--class",
            "right",
            "--count",
            "6",
            "--columns",
            "3",
            "--out",
            "" + grid);
    assertEquals(0, made.code(), made.err());
    assertTrue(made.err().contains("6 images"), made.err());
    BufferedImage picture = ImageIO.read(grid.toFile());
    assertEquals(3 * 64 + 2, picture.getWidth());
    assertEquals(2 * 64 + 1, picture.getHeight());
    double left = 0;
    double right = 0;
    for (int y = 0; y < picture.getHeight(); y++) {
      for (int x = 0; x < picture.getWidth(); x++) {
        int level = picture.getRGB(x, y) & 255;
        left += x % 65 < 32 ? level : 0;
        right += x % 65 < 32 ? 0 : level;
      }
    }
    assertTrue(left > 1.5 * right, "the right half is dark: " + left + ", " + right);

    byte[] before = Files.readAllBytes(grid);
    String[] again = {
      "sample", "" + run, "--class", "1", "--count", "6", "--columns", "3", "--out", "" + grid
    };
    assertEquals(0, Outcome.of(again).code());
    assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(grid)), "the same by its number");
    refusals(run, grid);
  }

  private void refusals(Path run, Path grid) throws IOException {
    byte[] before = Files.readAllBytes(grid);
    assertFails("number from 0 to 1, or one of left, right", run, "--class", "2", "" + grid);
    assertFails("there is no class 'lefd'", run, "--class", "lefd", "" + grid);
    assertFails("--count is 0: expected 1 to", run, "--count", "0", "" + grid);
    assertFails("is too large: make fewer", run, "--count", "100000", "" + grid);
    assertFails("--steps is -1: expected 1 to", run, "--steps", "-1", "" + grid);
    assertFails("--guidance is NaN", run, "--guidance", "NaN", "" + grid);
    assertFails("there is no folder", run, "--seed", "2", "" + folder.resolve("none/x.png"));
    assertFails("is the folder", run, "--seed", "2", "" + folder);
    assertTrue(java.util.Arrays.equals(before, Files.readAllBytes(grid)), "nothing was written");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertFails("empty", empty, "--seed", "2", "" + folder.resolve("y.png"));
    assertFails("images of NaN", broken(run), "--count", "1", "" + folder.resolve("y.png"));
    assertFalse(Files.exists(folder.resolve("y.png")));
  }

  /** A copy of the model with a weight that is no number. */
  private Path broken(Path run) throws IOException {
    Path to = folder.resolve("broken");
    try (Scope scope = Scope.open();
        Model model = Models.load(run)) {
      Parameter weight = model.parameters().values().iterator().next();
      weight.copyFrom(Tensor.full(Double.NaN, DType.FLOAT32, weight.value().shape().toArray()));
      Models.save(model, to);
    }
    Files.copy(run.resolve("classes.json"), to.resolve("classes.json"));
    return to;
  }

  private static void assertFails(
      String expected, Path run, String option, String value, String out) {
    Outcome outcome = Outcome.of("sample", "" + run, option, value, "--out", out);
    assertTrue(outcome.code() != 0, expected);
    assertTrue(outcome.err().contains(expected), outcome.err());
  }

  /** A classifier's features tell how far made images are from real ones. */
  @Test
  void evalJudgesWhatAModelMakes() throws IOException {
    Path images = images();
    String run = folder.resolve("run").toString();
    String judge = folder.resolve("judge").toString();
    Outcome learned = train(images, Path.of(run));
    assertEquals(0, learned.code(), learned.err());
    Outcome.well(
        ("train --task images --steps 5 --set model.size=8 --set model.patch=4"
                + " --set model.width=16 --set model.mixer.heads=2 --data "
                + images
                + " --out "
                + judge)
            .split(" "));
    String[] eval = {"eval", run, "--data", "" + images, "--judge", judge, "--count", "30"};
    String judged = Outcome.well(eval).out();
    assertTrue(judged.matches("(?s)48 images: loss .*frechet distance \\d.*"), judged);
    assertEquals(judged, Outcome.well(eval).out(), "the same each time");

    String classifier = Outcome.refused("eval", judge, "--data", "" + images, "--judge", judge);
    assertTrue(classifier.contains("--judge is for models that make images"), classifier);
    String alone = Outcome.refused("eval", run, "--data", "" + images, "--count", "9");
    assertTrue(alone.contains("--count is given without --judge"), alone);
    eval[7] = "9";
    String few = Outcome.refused(eval);
    assertTrue(few.contains("expected at least 17"), few);
  }
}
