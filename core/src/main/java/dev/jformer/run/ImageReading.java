package dev.jformer.run;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSource;
import dev.jformer.model.vision.Framing;
import java.io.IOException;
import java.nio.file.Path;

/** Reads the images of jobs, and keeps the names of their classes in the run's folder. */
final class ImageReading {
  private ImageReading() {}

  /** Reads a folder or zip file of images to files in a folder, showing progress. */
  static ImageFile read(Path source, Path place, int size, Framing framing, Progress progress)
      throws IOException {
    return read(ImageSource.open(source), place, size, framing, progress);
  }

  /** Reads the images of a source to files in a folder, showing progress. */
  static ImageFile read(
      ImageSource images, Path place, int size, Framing framing, Progress progress)
      throws IOException {
    try (Progress.Work work = progress.begin("reading", images.count(), "images")) {
      return ImageFile.prepare(place, images, size, framing, work::at);
    }
  }

  /**
   * Saves the names of the classes in a run's folder.
   *
   * @throws RunException if the run is resumed and began with others
   */
  static void keepClasses(ImageFile file, String source, Workspace workspace) throws IOException {
    ClassNames classes = new ClassNames(file.header().classes());
    classes.requireAsBefore(source, "images", workspace);
    classes.save(workspace.folder());
  }
}
