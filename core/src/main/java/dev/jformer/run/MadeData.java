package dev.jformer.run;

import java.io.IOException;
import java.nio.file.Path;

/** Prepared data that is made as it is needed: a configuration and a seed are all of it. */
interface MadeData extends PreparedData {
  /** What {@code problem.json} keeps of it, a configuration that can be read again. */
  Object origin();

  /** The workspace, which is closed with the data. */
  Workspace workspace();

  @Override
  default String fingerprint() {
    return ProblemFile.fingerprint(origin());
  }

  @Override
  default void saveCompanions(Path folder) throws IOException {
    ProblemFile.write(origin(), folder);
  }

  @Override
  default void close() {
    workspace().close();
  }
}
