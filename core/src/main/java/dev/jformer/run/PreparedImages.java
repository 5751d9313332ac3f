package dev.jformer.run;

import dev.jformer.data.image.ImageFile;

/** Prepared images, of a size. */
abstract class PreparedImages implements PreparedData {
  final String source;
  final ImageFile file;
  private final Workspace workspace;

  /**
   * Creates the data.
   *
   * @param source for the summary
   * @param workspace null if the images are not closed with the data
   */
  PreparedImages(String source, ImageFile file, Workspace workspace) {
    this.source = source;
    this.file = file;
    this.workspace = workspace;
  }

  /**
   * Checks that the images are of a model's size.
   *
   * @param does what the model does with images of its size, for the error: takes
   */
  final void requireSize(int size, String does) {
    if (size != file.header().size()) {
      throw new RunException(
          "the images are of "
              + file.header().size()
              + " pixels a side, but the model "
              + does
              + " "
              + size
              + ": prepare them in the model's size");
    }
  }

  @Override
  public final String fingerprint() {
    return file.header().fingerprint();
  }

  @Override
  public final void close() {
    if (workspace != null) {
      file.close();
      workspace.close();
    }
  }
}
