package dev.jformer.app.kill;

import dev.jformer.io.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Kills commands at random moments, by SIGKILL or by SIGTERM followed by SIGKILL, continues them,
 * and checks what they leave: weights and measurements are those of a command that was not killed,
 * metrics have no holes, and there is no stray file. A model that was there before a kill is there
 * after it.
 *
 * <pre>
 * tools/kill [KILLS [SEED [WORK ...]]]
 * </pre>
 */
final class KillHarness {
  /** The most kills before a command is left to end. */
  private static final int KILLS_OF_A_LIFE = 6;

  private static final double AT_START = 0.1;

  /** The latest kill, as a share of the time that the work took when it was not killed. */
  private static final double LATEST = 0.7;

  private static final double BY_TERM = 0.4;
  private static final int LONGEST_GRACE_MILLIS = 150;

  private final Path base;
  private final SplittableRandom random;
  private final Inputs inputs;
  private final Map<String, Tally> tallies = new LinkedHashMap<>();
  private final List<String> faults = new ArrayList<>();

  /** What was done with a kind of work. */
  private static final class Tally {
    private int kills;
    private int terms;
    private int lives;
  }

  /** The kinds of work, how long each takes once it has locked its folder. */
  private record Known(Work work, Path folder, long millis) {}

  KillHarness(Path base, long seed) throws IOException {
    this.base = base;
    this.random = new SplittableRandom(seed);
    this.inputs = Inputs.make(base.resolve("inputs"));
    Files.createDirectories(temporary());
  }

  /** Runs from the command line. */
  public static void main(String[] args) throws Exception {
    int kills = args.length > 0 ? Integer.parseInt(args[0]) : 300;
    long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    List<String> names = args.length > 2 ? List.of(args).subList(2, args.length) : List.of();
    Path base = Files.createTempDirectory("kill");
    System.out.println("seed " + seed + ", in " + base);
    KillHarness harness = new KillHarness(base, seed);
    harness.run(kills, names);
    harness.checkTemporary();
    System.out.print(harness.table());
    harness.faults.forEach(System.out::println);
    if (harness.faults.isEmpty()) {
      FileTree.delete(base);
    }
    System.exit(harness.faults.isEmpty() ? 0 : 1);
  }

  /**
   * Kills until there are so many kills, of each kind of work in turn.
   *
   * @param names of the kinds of work; all if empty
   * @return what was wrong
   */
  List<String> run(int kills, List<String> names) throws Exception {
    List<Known> all = new ArrayList<>();
    for (Work work : Work.all(inputs)) {
      if (names.isEmpty() || names.contains(work.name())) {
        all.add(reference(work));
        tallies.put(work.name(), new Tally());
      }
    }
    int most = Math.min(KILLS_OF_A_LIFE, Math.max(1, kills / all.size()));
    for (int i = 0; kills(tallies) < kills; i = (i + 1) % all.size()) {
      live(all.get(i), Math.min(most, kills - kills(tallies)));
    }
    return faults;
  }

  private static int kills(Map<String, Tally> tallies) {
    return tallies.values().stream().mapToInt(tally -> tally.kills).sum();
  }

  private Path temporary() {
    return base.resolve("tmp");
  }

  private Known reference(Work work) throws Exception {
    Path before = Files.createDirectories(base.resolve(work.name()).resolve(Work.BEFORE));
    for (List<String> command : work.before()) {
      Killed process = Killed.start(before, work.output(), temporary(), command);
      if (process.end() != 0) {
        throw new AssertionError("'" + command + "' fails: " + process.output());
      }
    }
    Path folder = before.resolveSibling("reference");
    copy(before, folder);
    Killed process = Killed.start(folder, work.output(), temporary(), work.command());
    process.awaitLock();
    long start = System.nanoTime();
    if (process.end() != 0) {
      throw new AssertionError(work.name() + " fails without a kill: " + process.output());
    }
    return new Known(work, folder, (System.nanoTime() - start) / 1_000_000);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> tree = Files.walk(from)) {
      for (Path path : tree.toList()) {
        Files.copy(path, to.resolve(from.relativize(path)));
      }
    }
  }

  /** Starts a command, kills it some times, lets it end and compares. */
  private void live(Known known, int kills) throws Exception {
    Work work = known.work();
    Tally tally = tallies.get(work.name());
    Path folder = base.resolve(work.name()).resolve("life-" + tally.lives++);
    copy(folder.resolveSibling(Work.BEFORE), folder);
    boolean ended = false;
    List<String> story = new ArrayList<>();
    for (int i = 0; i < kills && !ended; i++) {
      ended = !kill(known, folder, story);
      tally.kills += ended ? 0 : 1;
    }
    List<String> wrong = new ArrayList<>();
    for (int attempt = 0; !isDone(known, folder, wrong) && wrong.isEmpty(); attempt++) {
      if (attempt == 3) {
        wrong.add("it does not end");
      }
    }
    wrong.addAll(Comparer.differences(known.folder(), folder, work.result()));
    if (wrong.isEmpty()) {
      FileTree.delete(folder);
    }
    wrong.forEach(what -> faults.add(folder + " " + story + ": " + what));
    System.out.printf(
        Locale.ROOT, "%s %s %s%n", work.name(), story, wrong.isEmpty() ? "ok" : wrong);
  }

  /** Starts the command and kills it; false if it ended before. */
  private boolean kill(Known known, Path folder, List<String> story) throws Exception {
    Work work = known.work();
    boolean model = hasModel(folder.resolve(work.output()));
    Killed process =
        Killed.start(folder, work.output(), temporary(), work.next(folder, known.folder()));
    String when = "start";
    long millis = random.nextLong(1000);
    if (random.nextDouble() >= AT_START) {
      process.awaitLock();
      when = "work";
      millis = random.nextLong(1 + (long) (LATEST * known.millis()));
    }
    Thread.sleep(millis);
    boolean term = random.nextDouble() < BY_TERM;
    boolean killed =
        term ? process.terminate(random.nextInt(LONGEST_GRACE_MILLIS)) : process.kill();
    if (!killed) {
      return false;
    }
    story.add((term ? "TERM " : "KILL ") + when + "+" + millis);
    tallies.get(work.name()).terms += term ? 1 : 0;
    if (model && !hasModel(folder.resolve(work.output()))) {
      faults.add(folder + " " + story + ": the model that was there is gone");
    }
    return true;
  }

  /** Whether a folder holds weights: in their place, replaced but kept, or about to be in place. */
  private static boolean hasModel(Path output) {
    return Stream.of(".", ".jformer-replaced", ".jformer-publishing")
        .anyMatch(place -> Files.exists(output.resolve(place).resolve("model.safetensors")));
  }

  /** Runs the command to its end; false if it has to be tried in another way. */
  private boolean isDone(Known known, Path folder, List<String> wrong) throws Exception {
    Work work = known.work();
    Killed process =
        Killed.start(folder, work.output(), temporary(), work.next(folder, known.folder()));
    if (process.end() == 0) {
      return true;
    }
    String output = process.output();
    if (output.contains("holds a run already")) {
      return false; // killed between its first files: it can be resumed now
    }
    boolean there = !work.isTraining() && output.contains("already: replace it with");
    if (!there) {
      wrong.add("it fails: " + output.strip());
    }
    return there;
  }

  /** What killed processes left of temporary files is deleted by the next one. */
  private void checkTemporary() throws Exception {
    try (Stream<Path> left = Files.walk(temporary(), 2)) {
      for (Path lock : left.filter(path -> path.endsWith(".jformer.lock")).toList()) {
        Files.setLastModifiedTime(lock, FileTime.from(Instant.now().minusSeconds(100)));
      }
    }
    Path folder = Files.createDirectories(base.resolve("last"));
    String recipe = inputs.file("bytes.json").toString();
    for (List<String> command :
        List.of(
            List.of("train", "--recipe", recipe, "--steps", "2", "--out", "run"),
            List.of("eval", "run", "--data", inputs.file("labelled.tsv").toString()))) {
      Killed process = Killed.start(folder, "run", temporary(), command);
      if (process.end() != 0) {
        faults.add(process.output());
      }
    }
    try (Stream<Path> left = Files.list(temporary())) {
      left.filter(path -> path.getFileName().toString().startsWith("jformer"))
          .forEach(path -> faults.add("stray temporary file " + path));
    }
  }

  /** The number of kills by kind of work. */
  String table() {
    StringBuilder table = new StringBuilder("| work | kills | of them SIGTERM | ended |\n");
    table.append("| --- | ---: | ---: | ---: |\n");
    tallies.forEach(
        (name, tally) ->
            table.append(
                "| %s | %d | %d | %d |%n".formatted(name, tally.kills, tally.terms, tally.lives)));
    int terms = tallies.values().stream().mapToInt(tally -> tally.terms).sum();
    int lives = tallies.values().stream().mapToInt(tally -> tally.lives).sum();
    return table
        .append("| all | %d | %d | %d |%n".formatted(kills(tallies), terms, lives))
        .append("%d faults%n".formatted(faults.size()))
        .toString();
  }
}
