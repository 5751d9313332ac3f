package dev.jformer.run;

import dev.jformer.config.Part;

/** Configuration of a recipe's data: its location and how it is read. Its type decides the task. */
public interface DataConfig extends Part {
  /** The file or folder of the data; empty if none is set. */
  String source();

  /** Returns this configuration with data from another file or folder. */
  DataConfig withSource(String source);
}
