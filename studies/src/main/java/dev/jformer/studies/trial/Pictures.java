package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSource;
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

/** The images that studies learn from: CIFAR-10's, or at smoke scale a few discs and squares. */
public final class Pictures {
  private static final String TRAINING = "cifar10/train.zip";
  private static final String TEST = "cifar10/test.zip";
  private static final int SIZE = 32;
  private static final int MADE_UP = 12;

  private Pictures() {}

  /** Images of 32 x 32 to learn from; the caller closes them. */
  public static ImageFile training(Scale scale, Path folder) {
    return open(scale, TRAINING, folder.resolve("training"));
  }

  /** Others to be tested with; the caller closes them. */
  public static ImageFile test(Scale scale, Path folder) {
    return open(scale, TEST, folder.resolve("test"));
  }

  private static ImageFile open(Scale scale, String name, Path folder) {
    try {
      Path source = scale == Scale.SMOKE ? madeUp(folder) : DataSets.require(name);
      return ImageFile.prepare(folder.resolve("pixels"), ImageSource.open(source), SIZE, n -> {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read images", e);
    }
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
