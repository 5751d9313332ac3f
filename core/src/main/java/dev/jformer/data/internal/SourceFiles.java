package dev.jformer.data.internal;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What a folder or a zip file holds, as paths in it with slashes. What begins with a dot, and what
 * macOS adds to zip files, is left out.
 *
 * @param names of the files
 * @param folders all of them, inner ones too
 */
public record SourceFiles(List<String> names, SortedSet<String> folders) {
  /**
   * Lists a folder or a zip file.
   *
   * @param what it should hold, for errors: images
   * @param which of these, for errors; may be empty
   * @throws DataException if it is neither, or cannot be read
   */
  public static SourceFiles of(Path source, String what, String which) {
    if (!Files.exists(source)) {
      throw new DataException("no such folder or zip file of " + what + ": " + source);
    }
    SourceFiles found = new SourceFiles(new ArrayList<>(), new TreeSet<>());
    try {
      if (Files.isDirectory(source)) {
        found.list(source);
      } else if (source.getFileName().toString().toLowerCase(Locale.ROOT).endsWith(".zip")) {
        found.listZip(source);
      } else {
        throw new DataException(
            source + " is neither a folder nor a zip file: expected a folder of " + what + which);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new DataException("cannot read " + source + ": " + e.getMessage(), e);
    }
    return found;
  }

  private void list(Path root) throws IOException {
    try (Stream<Path> tree = Files.walk(root)) {
      for (Path path : tree.toList()) {
        String name = root.relativize(path).toString().replace('\\', '/');
        if (!name.isEmpty()) {
          add(name, Files.isDirectory(path));
        }
      }
    }
  }

  private void listZip(Path zip) throws IOException {
    try (ZipFile file = ZipArchive.open(zip)) {
      Enumeration<? extends ZipEntry> all = file.entries();
      while (all.hasMoreElements()) {
        ZipEntry entry = all.nextElement();
        String name = entry.getName();
        if (!name.startsWith("__MACOSX/")) {
          boolean folder = entry.isDirectory();
          add(folder ? name.substring(0, name.length() - 1) : name, folder);
        }
      }
    }
  }

  private void add(String name, boolean folder) {
    if (name.startsWith(".") || name.contains("/.")) {
      return;
    }
    if (folder) {
      folders.add(name);
    } else {
      names.add(name);
    }
  }
}
