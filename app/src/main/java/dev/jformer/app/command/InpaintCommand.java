package dev.jformer.app.command;

import dev.jformer.data.image.Picture;
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

  @Mixin private PictureOptions picture;
  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    PictureOptions.between("--count", count, MOST);
    PictureOptions.between("--top-k", topK, 1 << 20);
    if (!(temperature > 0 && temperature <= 1000)) {
      throw new CommandException(
          "--temperature is " + temperature + ": expected more than 0 and at most 1000");
    }
    picture.check(MOST, List.of(image, mask));
    Console console = progress.console();
    InpaintingSettings settings = new InpaintingSettings(topK, temperature, seed);
    try (Scope scope = Scope.open();
        Inpainter inpainter = Inpainter.load(folder)) {
      Tensor pixels = Picture.whole(image);
      Tensor hidden = Picture.whole(mask).mean(0, false).ge(0.5);
      inpainter.check(pixels, hidden);
      PictureOptions.Layout layout =
          picture.layout(
              count, (int) pixels.size(1), (int) pixels.size(2), Math.min(count, IN_ROW));
      Tensor fills;
      try (Console.Bar bar =
          console.begin("filling in", inpainter.passes(hidden, count), "passes")) {
        fills = inpainter.fill(pixels, hidden, count, settings, bar::at);
      }
      picture.write(fills, layout, console);
      return 0;
    }
  }
}
