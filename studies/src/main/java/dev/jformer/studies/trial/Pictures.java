package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSource;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/**
 * The images of studies: CIFAR-10, or at smoke scale a few synthetic discs and squares. They are
 * unpacked into a temporary folder, which is deleted on close.
 */
public final class Pictures implements AutoCloseable {
  private static final String TRAINING = "cifar10/train.zip";
  private static final String TEST = "cifar10/test.zip";
  private static final String OTHERS = "omniglot/images_background_small1.zip";
  private static final int SIZE = 32;
  private static final int MADE_UP = 12;

  private final Scale scale;
  private final TemporaryFolder folder;

  /** Creates the folder; images are read when they are needed. */
  public Pictures(Scale scale) {
    this.scale = scale;
    try {
      this.folder = TemporaryFolder.create("images");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot create a temporary folder for images", e);
    }
  }

  /** Opens the training images of 32 x 32 pixels; the caller closes them. */
  public ImageFile training() {
    return open(TRAINING, folder.path().resolve("training"));
  }

  /** Opens the test images of 32 x 32 pixels; the caller closes them. */
  public ImageFile test() {
    return open(TEST, folder.path().resolve("test"));
  }

  /**
   * Opens images of none of the classes: handwritten characters (Omniglot); the caller closes them.
   */
  public ImageFile others() {
    return open(OTHERS, folder.path().resolve("others"));
  }

  private ImageFile open(String name, Path place) {
    try {
      Path source = scale == Scale.SMOKE ? madeUp(place) : DataSets.require(name);
      return ImageFile.prepare(place.resolve("pixels"), ImageSource.open(source), SIZE, n -> {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the images of " + name, e);
    }
  }

  @Override
  public void close() {
    folder.close();
  }

  private static Path madeUp(Path folder) throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path source = folder.resolve("shapes");
    for (String shape : new String[] {"disc", "square"}) {
      Files.createDirectories(source.resolve(shape));
      for (int i = 0; i < MADE_UP; i++) {
        BufferedImage image = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(new Color(random.nextInt(1 << 24)));
        int side = 8 + random.nextInt(16);
        int left = random.nextInt(SIZE - side);
        if (shape.equals("disc")) {
          graphics.fillOval(left, left, side, side);
        } else {
          graphics.fillRect(left, left, side, side);
        }
        graphics.dispose();
        ImageIO.write(image, "png", source.resolve(shape).resolve(i + ".png").toFile());
      }
    }
    return source;
  }
}
