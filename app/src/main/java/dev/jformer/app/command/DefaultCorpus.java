package dev.jformer.app.command;

import java.nio.file.Files;
import java.nio.file.Path;

/** The text that comes with the build: the Java source code of Apache Lucene's core. */
final class DefaultCorpus {
  /** What a model of Java code is asked to go on with. */
  static final String PROMPT = "/** Returns the number of";

  private DefaultCorpus() {}

  static Path find() {
    Path jar = Bundled.find("corpus", "lucene-core-sources.jar");
    if (!Files.exists(jar)) {
      throw new CommandException(
          "the text for training that comes with the build is not at "
              + jar
              + ": build it with 'mvn package', or give --data");
    }
    return jar;
  }
}
