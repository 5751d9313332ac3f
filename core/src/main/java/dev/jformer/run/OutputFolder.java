package dev.jformer.run;

import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FolderLock;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder that a model, a tokenizer or a run is written to. It is locked while it is open, so that
 * a second process is refused.
 *
 * <pre>{@code
 * try (OutputFolder out = OutputFolder.open(folder, overwrite, List.of(from))) {
 *   Models.save(model, out.staging());
 *   out.publish();
 * }
 * }</pre>
 *
 * <p>A folder that holds files of a run, a model or a tokenizer, ours or Hugging Face's, is refused
 * unless it is to be overwritten. New files are written aside, in a folder within it, and put in
 * their places by renaming. What they replace is renamed aside before, and deleted last. All other
 * files in the folder stay. Wherever the process is killed, the next one that opens the folder
 * finishes the replacement or takes it back.
 */
public final class OutputFolder implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputFolder.class);
  private static final int ATTEMPTS = 5;
  private static final long PAUSE_MILLIS = 20;
  private static final String STAGING = AtomicFile.PREFIX + "new";
  private static final String REPLACED = AtomicFile.PREFIX + "replaced";

  /** What was staged, being moved to its places: in the end, what it replaces is deleted. */
  private static final String PUBLISHING = AtomicFile.PREFIX + "publishing";

  /** The same for the first files of a run: what they replace is kept until the run has a model. */
  private static final String BEGINNING = AtomicFile.PREFIX + "beginning";

  private final Path folder;
  private final List<Path> made;
  private final FolderLock lock;
  private final Thread hook = new Thread(this::abandon, "output-folder");
  private boolean abandoned;
  private boolean closed;

  private OutputFolder(Path folder, List<Path> made, FolderLock lock) {
    this.folder = folder;
    this.made = made;
    this.lock = lock;
  }

  /**
   * Opens a folder for something new; it is created if it does not exist.
   *
   * @param overwrite whether files of a run, a model or a tokenizer there may be replaced
   * @param inputs files and folders that the new files are made from, which must not be replaced
   * @throws RunException if the folder holds such files, or is one of the inputs
   * @throws IOException if another process has locked it
   */
  public static OutputFolder open(Path folder, boolean overwrite, List<Path> inputs)
      throws IOException {
    check(folder, overwrite, inputs);
    List<Path> made = missing(folder);
    FileTree.createFolder(folder);
    OutputFolder opened = new OutputFolder(folder, made, FolderLock.acquire(folder));
    try {
      opened.recover();
      check(folder, overwrite, inputs);
      if (Files.exists(opened.aside(REPLACED))) {
        opened.restore(); // of a run that was killed before it had a model
      }
      return opened;
    } catch (IOException | RuntimeException | Error e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Has what is staged deleted if the process is asked to end, by Ctrl-C for example, before it is
   * published. For work that stops at once; a training stops by itself.
   *
   * @throws IOException if the process is ending already
   */
  public OutputFolder deletedAtEnd() throws IOException {
    try {
      Runtime.getRuntime().addShutdownHook(hook);
      return this;
    } catch (IllegalStateException e) {
      close();
      throw new IOException("the process is ending: nothing can be written to " + folder, e);
    }
  }

  /** Deletes what is staged; waits while it is being published. */
  synchronized void abandon() {
    abandoned = true;
    for (int attempt = 1; !closed; attempt++) {
      try {
        discard();
        Thread.sleep(PAUSE_MILLIS);
        close(); // a thread that was about to write may have made it again
      } catch (IOException e) {
        if (attempt == ATTEMPTS) {
          LOG.warn("cannot delete {}: {}", aside(STAGING), e.getMessage());
          return;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** Ends what a process has begun that was killed while it wrote to a folder. */
  public static void recover(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      reopen(folder).close();
    }
  }

  /**
   * Does the same for someone who only reads: a folder stays as it is if no replacement was cut
   * off, if another process writes to it, or if it cannot be written to.
   */
  static void repair(Path folder) {
    boolean moving = Files.exists(folder.resolve(PUBLISHING));
    boolean beginning = Files.exists(folder.resolve(BEGINNING));
    boolean emptying =
        Files.exists(folder.resolve(STAGING)) && Files.exists(folder.resolve(REPLACED));
    if (moving || beginning || emptying) {
      try {
        recover(folder);
      } catch (IOException e) {
        LOG.warn("the replacement of files in {} is not complete: {}", folder, e.getMessage());
      }
    }
  }

  /** Opens the folder of a run to continue it. */
  static OutputFolder reopen(Path folder) throws IOException {
    OutputFolder opened = new OutputFolder(folder, List.of(), FolderLock.acquire(folder));
    try {
      opened.recover();
      return opened;
    } catch (IOException | RuntimeException | Error e) {
      opened.close();
      throw e;
    }
  }

  /**
   * Checks that something new may be written to a folder, without changing anything.
   *
   * @throws RunException if not; the parameters are those of {@link #open}
   */
  public static void check(Path folder, boolean overwrite, List<Path> inputs) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    if (!Files.isDirectory(folder)) {
      throw new RunException(folder + " is a file: expected a folder to write to");
    }
    List<Path> known = new ArrayList<>(KnownFiles.in(folder));
    if (Files.exists(folder.resolve(REPLACED))) {
      known.add(folder.resolve(REPLACED));
    }
    for (Path input : inputs) {
      if (isReplaced(input, folder, known)) {
        throw new RunException(
            input
                + " would be replaced, but is needed to make what is written to "
                + folder
                + ": choose another folder with --out");
      }
    }
    if (!known.isEmpty() && !overwrite) {
      throw new RunException(refusal(folder, known));
    }
  }

  /** Whether an input is the folder with what would be replaced, or is or lies in part of it. */
  private static boolean isReplaced(Path input, Path folder, List<Path> known) throws IOException {
    if (!Files.exists(input)) {
      return false;
    }
    Path real = input.toRealPath();
    boolean replaced = !known.isEmpty() && real.equals(folder.toRealPath());
    for (Path entry : known) {
      replaced |= Files.exists(entry) && real.startsWith(entry.toRealPath());
    }
    return replaced;
  }

  private static String refusal(Path folder, List<Path> known) {
    boolean model = known.stream().anyMatch(KnownFiles::isWeights);
    boolean run = holds(known, RunFolder.METRICS) || (holds(known, RunFolder.RECIPE) && !model);
    String content = run ? "a run" : model ? "a model" : names(folder, known);
    return folder
        + " holds "
        + content
        + " already: "
        + (run ? "continue with --resume " + folder + ", " : "")
        + "replace it with --overwrite, or choose another folder with --out";
  }

  private static boolean holds(List<Path> known, String name) {
    return known.stream().anyMatch(file -> file.endsWith(name));
  }

  private static String names(Path folder, List<Path> known) {
    List<String> names = known.stream().map(p -> folder.relativize(p).toString()).toList();
    return String.join(", ", names);
  }

  /** The folders that must be created, the deepest first. */
  private static List<Path> missing(Path folder) {
    List<Path> missing = new ArrayList<>();
    Path next = folder.toAbsolutePath().normalize();
    while (next != null && !Files.exists(next)) {
      missing.add(next);
      next = next.getParent();
    }
    return missing;
  }

  /** The folder aside, to write the new files to. */
  public synchronized Path staging() throws IOException {
    if (abandoned) {
      throw new IOException("the process is ending: nothing can be written to " + folder);
    }
    Path staging = aside(STAGING);
    FileTree.createFolder(staging);
    return staging;
  }

  /** Puts the staged files in their places, and deletes what they replace. */
  public synchronized void publish() throws IOException {
    swap(PUBLISHING);
    settle();
    FileTree.delete(aside(PUBLISHING));
  }

  /** Puts the staged files of a new run in their places; what they replace stays aside. */
  synchronized void begin() throws IOException {
    swap(BEGINNING);
    FileTree.delete(aside(BEGINNING));
  }

  /** Deletes what was replaced: the new files stand. */
  void settle() throws IOException {
    FileTree.delete(aside(REPLACED));
  }

  /** Whether files are kept aside that were replaced. */
  boolean hasReplaced() {
    return Files.exists(aside(REPLACED));
  }

  /** Deletes the new files, and puts those that they replaced back. */
  void restore() throws IOException {
    for (Path file : KnownFiles.in(folder)) {
      FileTree.delete(file);
    }
    deleteEmptyParts();
    putBack();
  }

  private void swap(String stage) throws IOException {
    Path staging = staging();
    AtomicFile.flushDirectory(staging);
    // Weights go first and come last: whoever reads meanwhile finds none, or those that fit.
    for (Path file : weightsFirst(KnownFiles.in(folder))) {
      move(file, aside(REPLACED).resolve(folder.relativize(file)));
    }
    deleteEmptyParts();
    Files.move(staging, aside(stage), StandardCopyOption.ATOMIC_MOVE);
    AtomicFile.flushDirectory(folder);
    moveIn(aside(stage));
  }

  private void deleteEmptyParts() throws IOException {
    for (String part : List.of(RunFolder.DATA, RunFolder.CHECKPOINTS)) {
      deleteIfEmpty(folder.resolve(part));
    }
  }

  private static List<Path> weightsFirst(List<Path> files) {
    return files.stream()
        .sorted(Comparator.comparing((Path file) -> !KnownFiles.isWeights(file)))
        .toList();
  }

  /** Moves files to their places, those last by which a model is read. */
  private void moveIn(Path stage) throws IOException {
    List<Path> order = new ArrayList<>(weightsFirst(list(stage)));
    Collections.reverse(order);
    for (Path file : order) {
      move(file, folder.resolve(file.getFileName()));
    }
    AtomicFile.flushDirectory(folder);
  }

  private static List<Path> list(Path place) throws IOException {
    try (Stream<Path> entries = Files.list(place)) {
      return entries.sorted(Comparator.reverseOrder()).toList();
    }
  }

  private static void move(Path file, Path target) throws IOException {
    FileTree.createFolder(target.getParent());
    Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
    AtomicFile.flushDirectory(target.getParent());
  }

  /** Ends what a killed process has begun. */
  private void recover() throws IOException {
    if (Files.exists(aside(PUBLISHING))) {
      moveIn(aside(PUBLISHING));
      settle();
      FileTree.delete(aside(PUBLISHING));
    } else if (Files.exists(aside(BEGINNING))) {
      moveIn(aside(BEGINNING));
      FileTree.delete(aside(BEGINNING));
    } else if (Files.exists(aside(STAGING))) {
      putBack();
      FileTree.delete(aside(STAGING));
    }
    if (hasReplaced() && KnownFiles.in(folder).stream().anyMatch(KnownFiles::isWeights)) {
      settle();
    }
    for (String part : List.of("", RunFolder.DATA, RunFolder.CHECKPOINTS)) {
      AtomicFile.sweep(folder.resolve(part));
    }
  }

  private void putBack() throws IOException {
    Path replaced = aside(REPLACED);
    if (!Files.exists(replaced)) {
      return;
    }
    List<Path> files = new ArrayList<>(weightsFirst(KnownFiles.in(replaced)));
    Collections.reverse(files);
    for (Path file : files) {
      move(file, folder.resolve(replaced.relativize(file)));
    }
    FileTree.delete(replaced);
  }

  private Path aside(String name) {
    return folder.resolve(name);
  }

  /**
   * Releases the folder. Staged files that were not published are deleted, and so is the folder if
   * it was created and nothing is in it.
   */
  @Override
  public synchronized void close() throws IOException {
    if (closed) {
      return;
    }
    try {
      discard();
    } finally {
      closed = true;
      forgetHook();
      lock.close();
      for (Path empty : made) {
        deleteIfEmpty(empty);
      }
    }
  }

  private void discard() throws IOException {
    if (Files.exists(aside(STAGING))) {
      putBack();
      FileTree.delete(aside(STAGING));
    }
  }

  private void forgetHook() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException ending) {
      LOG.debug("{} was written just before the end", folder);
    }
  }

  private static void deleteIfEmpty(Path place) throws IOException {
    try {
      Files.deleteIfExists(place);
    } catch (DirectoryNotEmptyException e) {
      LOG.debug("{} is in use", place);
    }
  }
}
