package dev.jformer.app.command;

import dev.jformer.run.ImageGenerator;
import dev.jformer.run.ImageSampling;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer sample}. */
@Command(
    name = "sample",
    header = "Make images with a diffusion model",
    description =
        """
        Makes images of a class, or of any, with a model of 'jformer train --task diffusion', and
        writes them side by side to a PNG file.
        """,
    footer =
        """
        Examples:
          jformer sample runs/photos --class cat --count 16 --out grid.png
          jformer sample runs/photos --class 3 --guidance 3 --steps 30 --seed 7 --out grid.png
          jformer sample runs/photos --count 1 --scale 1 --out one.png
              One image, in its own size.
        """)
final class SampleCommand implements Callable<Integer> {
  private static final int MOST = 100_000;

  @Parameters(paramLabel = "MODEL", description = "The folder of a training run.")
  private Path folder;

  @Option(
      names = "--class",
      paramLabel = "NAME|N",
      description = "The class to make, by its name or its number from 0 (default: any).")
  private String label;

  @Option(
      names = "--count",
      paramLabel = "N",
      description = "How many images to make (default ${DEFAULT-VALUE}).")
  private int count = 16;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "How many steps lead from noise to an image; more are closer to what was learned (default"
              + " ${DEFAULT-VALUE}).")
  private int steps = new ImageSampling().steps();

  @Option(
      names = "--guidance",
      paramLabel = "W",
      description =
          "The weight of the class: 1 as learned, more for images that are more typical and less"
              + " varied (default ${DEFAULT-VALUE}).")
  private double guidance = new ImageSampling().guidance();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of the noise (default ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Mixin private PictureOptions picture;
  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    PictureOptions.between("--count", count, MOST);
    PictureOptions.between("--steps", steps, MOST);
    if (!(guidance >= 0 && guidance <= 1000)) {
      throw new CommandException("--guidance is " + guidance + ": expected a weight of 0 to 1000");
    }
    picture.check(MOST, List.of());
    Console console = progress.console();
    ImageSampling sampling = new ImageSampling(steps, guidance, seed);
    try (Scope scope = Scope.open();
        ImageGenerator generator = ImageGenerator.load(folder)) {
      int number = label == null ? -1 : generator.number(label);
      int size = generator.model().config().size();
      PictureOptions.Layout layout =
          picture.layout(count, size, size, (int) Math.ceil(Math.sqrt(count)));
      long total = ImageGenerator.steps(count, sampling);
      Tensor images;
      try (Console.Bar bar = console.begin("sampling", total, "steps")) {
        images = generator.generate(number, count, sampling, bar::at);
      }
      picture.write(images, layout, console);
      return 0;
    }
  }
}
