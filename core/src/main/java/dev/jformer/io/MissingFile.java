package dev.jformer.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Says that a file or folder does not exist, and what there is in its place. */
public final class MissingFile {
  private static final int NAMED = 8;

  private MissingFile() {}

  /** One line that names a missing path, and what the nearest folder above it holds. */
  public static String message(Path missing) {
    String text = "no such file or folder: " + FormatException.oneLine(missing.toString());
    String instead = instead(missing);
    return instead == null ? text : text + "; " + instead;
  }

  /** The same as an exception, whose reason is what there is instead. */
  public static NoSuchFileException exception(Path missing) {
    return new NoSuchFileException(missing.toString(), null, instead(missing));
  }

  private static String instead(Path missing) {
    Path parent = missing.toAbsolutePath().normalize().getParent();
    while (parent != null && !Files.isDirectory(parent)) {
      parent = parent.getParent();
    }
    return parent == null ? null : held(missing, parent);
  }

  private static String held(Path missing, Path folder) {
    String place =
        missing.isAbsolute() || missing.getNameCount() > 1
            ? FormatException.oneLine(folder.toString())
            : "this folder";
    try (Stream<Path> all = Files.list(folder)) {
      List<String> names =
          all.filter(path -> !path.getFileName().toString().startsWith("."))
              .sorted()
              .map(
                  path ->
                      FormatException.oneLine(path.getFileName().toString())
                          + (Files.isDirectory(path) ? "/" : ""))
              .toList();
      if (names.isEmpty()) {
        return place + " is empty";
      }
      String some = String.join(", ", names.subList(0, Math.min(NAMED, names.size())));
      int more = names.size() - NAMED;
      return place + " holds " + some + (more > 0 ? " and " + more + " more" : "");
    } catch (IOException e) {
      return place + " cannot be read";
    }
  }
}
