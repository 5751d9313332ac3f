package dev.jformer.run;

import dev.jformer.config.Part;

/** What a recipe learns from: where it lies and how it is read. Its kind decides the task. */
public interface DataConfig extends Part {
  /** A file or folder; empty where the program may bring data of its own. */
  String source();

  /** The same from elsewhere. */
  DataConfig withSource(String source);
}
