package dev.jformer.app.command;

import dev.jformer.data.image.ImageGrid;
import dev.jformer.io.AtomicFile;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options of a picture that shows images side by side. */
final class PictureOptions {
  /** The least width and height of an image in the file, if the user gives no scale. */
  private static final int SHOWN = 64;

  private static final int MOST_SCALE = 1024;

  @Option(
      names = "--columns",
      paramLabel = "N",
      description = "How many images stand in a row (default: what suits their number).")
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

  /** Where images stand. */
  record Layout(int columns, int scale) {}

  /**
   * Checks the options, and that the file can be written and is none that is read.
   *
   * @param most columns
   */
  void check(int most, List<Path> inputs) throws IOException {
    between("--columns", columns == null ? 1 : columns, most);
    between("--scale", scale == null ? 1 : scale, MOST_SCALE);
    OutputFile.check(out, inputs);
  }

  /**
   * Lays out images, and checks that they can be drawn, before they are made.
   *
   * @param usual columns, if the user gives none
   */
  Layout layout(int count, int height, int width, int usual) {
    int shorter = Math.min(height, width);
    Layout layout =
        new Layout(
            columns == null ? usual : columns,
            scale == null ? Math.max(1, (SHOWN + shorter - 1) / shorter) : scale);
    ImageGrid.check(count, height, width, layout.columns(), layout.scale());
    return layout;
  }

  /** Writes images, [N, C, H, W]. */
  void write(Tensor images, Layout layout, Console console) throws IOException {
    AtomicFile.write(out, ImageGrid.png(images, layout.columns(), layout.scale()));
    long count = images.size(0);
    console.say("wrote %s: %d %s", out, count, count == 1 ? "image" : "images");
  }

  /** Checks the value of an option. */
  static void between(String name, long value, long most) {
    if (value < 1 || value > most) {
      throw new CommandException(name + " is " + value + ": expected 1 to " + most);
    }
  }
}
