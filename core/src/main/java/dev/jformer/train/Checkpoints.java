package dev.jformer.train;

import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The checkpoints of a run, each a folder such as {@code step-00000250} with named groups of
 * tensors and the progress. A checkpoint is written under a temporary name, forced to the disk and
 * then renamed, so that it is complete or absent whatever happens; the previous one is kept too. A
 * checkpoint that lacks a file or cannot be read is skipped for the one before it.
 */
final class Checkpoints {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
  private static final String PREFIX = "step-";
  private static final String PARTIAL = ".partial-";
  private static final String REPLACED = ".replaced-";
  private static final String PROGRESS = "progress.json";
  private static final int KEPT = 2;

  private final Path folder;

  Checkpoints(Path folder) {
    this.folder = folder;
  }

  /**
   * A checkpoint that was read: the progress, and the groups of tensors, which live until the
   * surrounding scope closes.
   */
  record Checkpoint(TrainingState progress, Map<String, Map<String, Tensor>> groups) {}

  /**
   * Writes a checkpoint.
   *
   * @throws TrainingException if it cannot be written; earlier ones are intact
   */
  void save(TrainingState progress, Map<String, Map<String, Tensor>> groups) {
    String name = String.format(Locale.ROOT, "%s%08d", PREFIX, progress.step());
    Path partial = folder.resolve(PARTIAL + name);
    Path target = folder.resolve(name);
    try {
      FileTree.createFolder(folder);
      recover();
      Files.createDirectory(partial);
      for (Map.Entry<String, Map<String, Tensor>> group : groups.entrySet()) {
        SafetensorsFile.write(file(partial, group.getKey()), group.getValue(), Map.of());
      }
      AtomicFile.write(partial.resolve(PROGRESS), progress.toJson());
      AtomicFile.flushDirectory(partial);
      replace(partial, target);
      prune(name);
    } catch (IOException e) {
      try {
        FileTree.delete(partial);
      } catch (IOException suppressed) {
        e.addSuppressed(suppressed);
      }
      throw new TrainingException(
          "cannot write the checkpoint "
              + target
              + ": "
              + e.getMessage()
              + "; earlier checkpoints are intact: free space on the disk, then resume",
          e);
    }
  }

  private void replace(Path partial, Path target) throws IOException {
    Path replaced = folder.resolve(REPLACED + target.getFileName());
    if (Files.exists(target)) {
      Files.move(target, replaced, StandardCopyOption.ATOMIC_MOVE);
    }
    Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
    AtomicFile.flushDirectory(folder);
    FileTree.delete(replaced);
  }

  /** Keeps the newest checkpoint and the one before it; later ones were damaged. */
  private void prune(String newest) throws IOException {
    int kept = 0;
    for (Path path : newestFirst()) {
      if (path.getFileName().toString().compareTo(newest) > 0 || kept == KEPT) {
        FileTree.delete(path);
      } else {
        kept++;
      }
    }
  }

  /** Tidies up after a process that was killed while it wrote a checkpoint. */
  private void recover() throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    AtomicFile.sweep(folder);
    for (Path partial : entries(PARTIAL)) {
      FileTree.delete(partial);
    }
    for (Path replaced : entries(REPLACED)) {
      String name = replaced.getFileName().toString().substring(REPLACED.length());
      if (Files.exists(folder.resolve(name))) {
        FileTree.delete(replaced);
      } else {
        Files.move(replaced, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE);
      }
    }
  }

  /**
   * Reads the newest complete checkpoint.
   *
   * @param groups names of the groups that it must have
   * @return null if there is none
   */
  Checkpoint latest(Set<String> groups) {
    try {
      recover();
    } catch (IOException e) {
      throw new TrainingException("cannot tidy up the checkpoints in " + folder + ": " + e, e);
    }
    for (Path path : newestFirst()) {
      try {
        Checkpoint found = read(path);
        if (!found.groups().keySet().containsAll(groups)) {
          throw new FormatException("it holds " + found.groups().keySet() + ": expected " + groups);
        }
        return found;
      } catch (IOException | FormatException e) {
        LOG.warn("skipping the damaged checkpoint {}: {}", path, e.getMessage());
      }
    }
    return null;
  }

  /** Whether there is any checkpoint. */
  boolean exist() {
    try {
      return !entries(PREFIX).isEmpty() || !entries(REPLACED).isEmpty();
    } catch (IOException e) {
      throw cannotList(e);
    }
  }

  private static Checkpoint read(Path path) throws IOException {
    TrainingState progress = TrainingState.of(Files.readAllBytes(path.resolve(PROGRESS)));
    Map<String, Map<String, Tensor>> groups = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".safetensors")).sorted().toList()) {
        String name = file.getFileName().toString();
        groups.put(name.substring(0, name.lastIndexOf('.')), readGroup(file));
      }
    }
    return new Checkpoint(progress, groups);
  }

  private static Map<String, Tensor> readGroup(Path file) throws IOException {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      for (String name : opened.names()) {
        tensors.put(name, opened.tensor(name).copy());
      }
    }
    return tensors;
  }

  private List<Path> newestFirst() {
    try {
      return entries(PREFIX);
    } catch (IOException e) {
      throw cannotList(e);
    }
  }

  private TrainingException cannotList(IOException e) {
    return new TrainingException("cannot list the checkpoints in " + folder + ": " + e, e);
  }

  /** The entries whose names begin with a prefix, in descending order. */
  private List<Path> entries(String prefix) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(path -> path.getFileName().toString().startsWith(prefix))
          .sorted(Comparator.reverseOrder())
          .toList();
    }
  }

  private static Path file(Path directory, String group) {
    return directory.resolve(group + ".safetensors");
  }
}
