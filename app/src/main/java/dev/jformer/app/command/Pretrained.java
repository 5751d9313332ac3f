package dev.jformer.app.command;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Models that come with the build, under names of their own. */
final class Pretrained {
  /** all-MiniLM-L6-v2, which embeds sentences. */
  static final String MINILM = "minilm";

  /** bge-small-en-v1.5 in 8 bits, which embeds questions and passages. */
  static final String BGE_SMALL = "bge-small";

  static final List<String> NAMES = List.of(MINILM, BGE_SMALL);

  private Pretrained() {}

  /** Where a model lies: the path itself, or the model of this name if there is no such path. */
  static Path find(Path named) {
    if (Files.exists(named) || !NAMES.contains(named.toString())) {
      return named;
    }
    Path folder = Bundled.find("models", named.toString());
    if (!Files.exists(folder)) {
      throw new CommandException(
          "the model "
              + named
              + " is not at "
              + folder
              + ": build it with 'mvn package', or give the folder of a model");
    }
    return folder;
  }
}
