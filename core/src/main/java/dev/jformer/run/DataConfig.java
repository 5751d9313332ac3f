package dev.jformer.run;

import dev.jformer.config.Part;
import java.nio.file.Path;
import java.util.List;

/** Configuration of a recipe's data: its location and how it is read. Its type decides the task. */
public interface DataConfig extends Part {
  /** The file or folder of the data; empty if none is set. */
  String source();

  /** The files and folders that the data is made from. */
  default List<Path> inputs() {
    return source().isEmpty() ? List.of() : List.of(Path.of(source()));
  }

  /** Whether the data is made, so that there is no file or folder to read. */
  default boolean isMade() {
    return false;
  }

  /** Returns this configuration with data from another file or folder. */
  DataConfig withSource(String source);
}
