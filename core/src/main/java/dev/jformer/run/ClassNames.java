package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.hub.HeadLabels;
import dev.jformer.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;

/**
 * The names of a classifier's classes, stored as {@code classes.json} beside the model. A Hugging
 * Face model has them in its configuration instead.
 *
 * @param classes names, in the order of the model's scores
 */
public record ClassNames(List<String> classes) {
  private static final String FILE = "classes.json";

  /** Creates an empty list, the default of an empty file. */
  public ClassNames() {
    this(List.of());
  }

  /** Writes the names to the folder of a model. */
  public void save(Path folder) throws IOException {
    AtomicFile.write(folder.resolve(FILE), Configs.toJson(this).getBytes(StandardCharsets.UTF_8));
  }

  /** Whether the folder of a model holds names. */
  public static boolean exists(Path folder) {
    return Files.exists(folder.resolve(FILE)) || !theirs(folder).isEmpty();
  }

  /** Reads the names from the folder of a model. */
  public static ClassNames load(Path folder) {
    if (Files.exists(folder.resolve(FILE))) {
      return Configs.read(folder.resolve(FILE), ClassNames.class);
    }
    List<String> theirs = theirs(folder);
    if (theirs.isEmpty()) {
      throw new RunException(
          folder + " holds no " + FILE + ": expected the names of its classes there");
    }
    return new ClassNames(theirs);
  }

  /**
   * Checks that there is something to tell apart.
   *
   * @param source of the data, for the error
   * @throws RunException if there are fewer than two classes
   */
  void requireTwo(String source) {
    if (classes.size() < 2) {
      throw new RunException(source + " has one class only, " + classes + ": expected two or more");
    }
  }

  /**
   * Checks that a resumed run goes on with the classes that it began with.
   *
   * @param source of the data, for the error
   * @param what it holds, for the error: images
   * @throws RunException if it began with others
   */
  void requireAsBefore(String source, String what, Workspace workspace) {
    Path folder = workspace.folder();
    if (workspace.isResumed() && exists(folder) && !load(folder).equals(this)) {
      throw new RunException(
          source
              + " has other classes than the run in "
              + folder
              + " began with: restore the old "
              + what
              + ", or start again with --overwrite");
    }
  }

  private static List<String> theirs(Path folder) {
    try {
      return HeadLabels.read(folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the labels in " + folder, e);
    }
  }

  /**
   * Returns these names in the order of a trained model's, if it has the same ones, so that its
   * classifier is of use.
   *
   * @param folder of the trained model; empty for none
   */
  ClassNames inOrderOf(String folder) {
    if (folder.isEmpty() || !exists(Path.of(folder))) {
      return this;
    }
    ClassNames other = load(Path.of(folder));
    return new HashSet<>(other.classes).equals(new HashSet<>(classes)) ? other : this;
  }

  /**
   * Checks that a teacher has the same classes in the same order.
   *
   * @return the number of classes
   * @throws RunException if it has others
   */
  int checkTeacher(Path folder) {
    List<String> others = load(folder).classes;
    if (!others.equals(classes)) {
      throw new RunException(
          "the teacher in "
              + folder
              + " has the classes "
              + String.join(", ", others)
              + ", the student "
              + String.join(", ", classes)
              + ": expected the same ones in the same order");
    }
    return classes.size();
  }

  /** Reads the names from the folder of a model, and checks that there are {@code count}. */
  static ClassNames load(Path folder, int count) {
    ClassNames found = load(folder);
    if (found.classes.size() != count) {
      throw new RunException(
          folder
              + " names "
              + found.classes.size()
              + " classes: expected "
              + count
              + " as the model has");
    }
    return found;
  }

  /**
   * Finds the number in the model of each class of a data set.
   *
   * @throws DataException if the data has a class that the model does not have
   */
  int[] numbers(List<String> others, String source) {
    List<String> unknown = others.stream().filter(name -> !classes.contains(name)).toList();
    if (!unknown.isEmpty()) {
      throw new DataException(
          source
              + " has "
              + (unknown.size() == 1 ? "a class" : "classes")
              + " that the model does not have: "
              + String.join(", ", unknown)
              + "; the model has "
              + String.join(", ", classes));
    }
    return others.stream().mapToInt(classes::indexOf).toArray();
  }
}
