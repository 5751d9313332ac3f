package dev.jformer.app.command;

import dev.jformer.data.image.ImageGrid;
import dev.jformer.data.image.Picture;
import dev.jformer.io.AtomicFile;
import dev.jformer.run.Inpainter;
import dev.jformer.run.InpaintingSettings;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer inpaint}. */
@Command(
    name = "inpaint",
    header = "Fill in parts of an image in several ways",
    description =
        """
        Fills in the parts of an image that a mask hides, in several ways, with a model of 'jformer
        train --task inpainting', and writes the images side by side to a PNG file. Visible pixels
        stay as they are.
        """,
    footer =
        """
        Examples:
          jformer inpaint runs/photos cat.png --mask mask.png --count 5 --out fills.png
          jformer inpaint runs/photos cat.png --mask mask.png --top-k 1 --count 1 --scale 1 \\
              --out cat-whole.png
              The most probable fill, in the size of the image.
        """)
final class InpaintCommand implements Callable<Integer> {
  /** The least width and height of an image in the file, if the user gives no scale. */
  private static final int SHOWN = 64;

  /** The most images that stand in one row, if the user gives no number of columns. */
  private static final int IN_ROW = 8;

  private static final int MOST = 10_000;

  @Parameters(index = "0", paramLabel = "MODEL", description = "The folder of a training run.")
  private Path folder;

  @Parameters(index = "1", paramLabel = "IMAGE", description = "The image: JPEG, PNG, GIF or BMP.")
  private Path image;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      required = true,
      description =
          "An image of the same size: white where IMAGE is to be filled in, black elsewhere. Pixels"
              + " lighter than the middle between both count as white.")
  private Path mask;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "In how many ways to fill in (default ${DEFAULT-VALUE}).")
  private int count = 5;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description =
          "Draw each patch from so many of its most probable codes; 1 for the most probable fill"
              + " (default ${DEFAULT-VALUE}).")
  private int topK = new InpaintingSettings().topK();

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "1 as learned, more for fills that differ more (default ${DEFAULT-VALUE}).")
  private double temperature = new InpaintingSettings().temperature();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of the draws (default ${DEFAULT-VALUE}).")
  private long seed = new InpaintingSettings().seed();

  @Option(
      names = "--columns",
      paramLabel = "N",
      description = "How many images stand in a row (default: up to 8).")
  private Integer columns;

  @Option(
      names = "--scale",
      paramLabel = "N",
      description =
          "How many pixels of the file each pixel of an image is wide and high (default: so that an"
              + " image has 64 or more).")
  private Integer scale;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      required = true,
      description = "The PNG file to write.")
  private Path out;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    between("--count", count, MOST);
    between("--top-k", topK, 1 << 20);
    between("--columns", columns == null ? 1 : columns, MOST);
    between("--scale", scale == null ? 1 : scale, 1024);
    if (!(temperature > 0 && temperature <= 1000)) {
      throw new CommandException(
          "--temperature is " + temperature + ": expected more than 0 and at most 1000");
    }
    OutputFile.check(out, List.of(image, mask));
    Console console = progress.console();
    InpaintingSettings settings = new InpaintingSettings(topK, temperature, seed);
    try (Scope scope = Scope.open();
        Inpainter inpainter = Inpainter.load(folder)) {
      Tensor pixels = Picture.whole(image);
      Tensor hidden = Picture.whole(mask).mean(0, false).ge(0.5);
      inpainter.check(pixels, hidden);
      int height = (int) pixels.size(1);
      int width = (int) pixels.size(2);
      int wide = columns == null ? Math.min(count, IN_ROW) : columns;
      int shorter = Math.min(height, width);
      int factor = scale == null ? Math.max(1, (SHOWN + shorter - 1) / shorter) : scale;
      ImageGrid.check(count, height, width, wide, factor);
      Tensor fills;
      try (Console.Bar bar =
          console.begin("filling in", inpainter.passes(hidden, count), "passes")) {
        fills = inpainter.fill(pixels, hidden, count, settings, bar::at);
      }
      AtomicFile.write(out, ImageGrid.png(fills, wide, factor));
      console.say("wrote %s: %d %s", out, count, count == 1 ? "image" : "images");
      return 0;
    }
  }

  private static void between(String name, long value, long most) {
    if (value < 1 || value > most) {
      throw new CommandException(name + " is " + value + ": expected 1 to " + most);
    }
  }
}
