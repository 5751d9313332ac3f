package dev.jformer.app.leak;

import dev.jformer.app.command.Commands;
import dev.jformer.app.kill.Inputs;
import dev.jformer.io.FileTree;
import dev.jformer.tensor.Memory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.bytedeco.javacpp.Pointer;

/**
 * Repeats commands many times in one process, each of which loads a model, uses it and closes it,
 * and measures the memory that is left after each.
 *
 * <pre>
 * tools/leak [ROUNDS [WORK ...]]
 * </pre>
 */
final class LeakHarness {
  private final Path base;
  private final Map<String, List<String>> works = new LinkedHashMap<>();

  /**
   * Memory after a round.
   *
   * @param resident bytes of the process
   * @param nativeHeap bytes that the C library has handed out
   * @param javaHeap bytes of objects
   * @param pointers native objects that Java holds
   */
  record Sample(long resident, long nativeHeap, long javaHeap, long pointers) {
    static Sample now() {
      System.gc();
      Memory.peakOf(() -> {}); // settles, and gives freed memory back
      Runtime java = Runtime.getRuntime();
      return new Sample(
          Memory.resident(),
          NativeHeap.bytes(),
          java.totalMemory() - java.freeMemory(),
          Pointer.totalCount());
    }
  }

  /** What a command, repeated, leaves. */
  record Trace(String work, List<Sample> samples) {
    /** The middle of some rounds: which compiler's memory is in use at a moment is chance. */
    private long middle(int from, int to, ToLongFunction<Sample> of) {
      long[] sorted = samples.subList(from, to).stream().mapToLong(of).sorted().toArray();
      return sorted[sorted.length / 2];
    }

    private long first(ToLongFunction<Sample> of) {
      return middle(samples.size() / 4, samples.size() / 2, of);
    }

    private long last(ToLongFunction<Sample> of) {
      return middle(samples.size() * 3 / 4, samples.size(), of);
    }

    /** From the second quarter of the rounds to the last, for each. */
    private double growth(ToLongFunction<Sample> of) {
      return (last(of) - first(of)) / (samples.size() / 2.0);
    }

    /** Native objects that each round left. */
    double pointersEach() {
      return growth(Sample::pointers);
    }

    /** Bytes of native memory that each round left. */
    double bytesEach() {
      return growth(Sample::nativeHeap);
    }

    String row() {
      return String.format(
          Locale.ROOT,
          "| `%s` | %d | %.1f | %.1f | %.2f | %.2f | %.2f |",
          work,
          samples.size(),
          first(Sample::resident) / 1e6,
          last(Sample::resident) / 1e6,
          bytesEach() / 1e3,
          pointersEach(),
          growth(Sample::javaHeap) / 1e3);
    }
  }

  LeakHarness(Path base, Path encoder, int updates) throws IOException {
    this.base = base;
    Inputs inputs = Inputs.make(base.resolve("inputs"));
    String text = inputs.file("text.txt").toString();
    for (String name : List.of("bytes", "classify", "images", "translate", "forecast")) {
      String recipe = inputs.file(name + ".json").toString();
      run("train", "--recipe", recipe, "--out", at(name), "--quiet");
      work(
          "train " + name,
          "train --recipe RECIPE --out OUT --overwrite --quiet --set training.steps=N",
          Map.of(
              "RECIPE", recipe, "OUT", at("new"), "training.steps=N", "training.steps=" + updates));
    }
    String image = inputs.file("images/dark/1.png").toString();
    String rows = inputs.file("series.csv").toString();
    Map<String, String> places = new LinkedHashMap<>();
    places.put("BERT", encoder.toString());
    places.put("TEXT", text);
    places.put("LINES", lines(text).toString());
    places.put("OUT", at("new"));
    places.put("IMAGE", image);
    places.put("ROWS", rows);
    for (String name : List.of("bytes", "classify", "images", "translate", "forecast")) {
      places.put(name.toUpperCase(Locale.ROOT), at(name));
    }
    work("generate", "generate BYTES --prompt cat --tokens 20", places);
    work("embed", "embed BERT LINES --out OUT.csv --quiet", places);
    work("eval", "eval BYTES --data TEXT", places);
    work("predict a text", "predict CLASSIFY --text cat", places);
    work("predict an image", "predict IMAGES IMAGE", places);
    work("translate", "translate TRANSLATE cat", places);
    work("forecast", "forecast FORECAST --data ROWS --out OUT.csv", places);
    work(
        "compress weight-int8",
        "compress BYTES --with weight-int8 --out OUT --overwrite --quiet",
        places);
    work(
        "compress ptq",
        "compress BYTES --with ptq --data TEXT --out OUT --overwrite --quiet",
        places);
    work("export", "export BYTES --out OUT --overwrite", places);
  }

  /** A few lines of a text. */
  private Path lines(String text) throws IOException {
    return Files.write(base.resolve("lines.txt"), Files.readAllLines(Path.of(text)).subList(0, 50));
  }

  private String at(String name) {
    return base.resolve(name).toString();
  }

  private void work(String name, String command, Map<String, String> places) {
    List<String> words = new ArrayList<>();
    for (String word : command.split(" ")) {
      String replaced = word;
      for (Map.Entry<String, String> place : places.entrySet()) {
        if (word.equals(place.getKey()) || word.startsWith(place.getKey() + ".")) {
          replaced = place.getValue() + word.substring(place.getKey().length());
        }
      }
      words.add(replaced);
    }
    works.put(name, words);
  }

  private static void run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream quiet = new PrintStream(said, true, StandardCharsets.UTF_8);
    System.setOut(quiet);
    System.setErr(quiet);
    int code;
    try {
      code = Commands.run(args);
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    if (code != 0) {
      throw new AssertionError(
          Arrays.toString(args) + ": " + said.toString(StandardCharsets.UTF_8));
    }
  }

  /** The names of the kinds of work. */
  List<String> names() {
    return List.copyOf(works.keySet());
  }

  /** Repeats a command. */
  Trace repeat(String work, int rounds) {
    List<Sample> samples = new ArrayList<>();
    String[] command = works.get(work).toArray(String[]::new);
    for (int i = 0; i < rounds; i++) {
      run(command);
      samples.add(Sample.now());
    }
    return new Trace(work, samples);
  }

  /** Runs from the command line, in the repository's folder. */
  public static void main(String[] args) throws IOException {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 200;
    Path base = Files.createTempDirectory("leak");
    LeakHarness harness =
        new LeakHarness(base, Path.of("core/src/test/resources/dev/jformer/io/hf/bert"), 200);
    List<String> names = args.length > 1 ? List.of(args).subList(1, args.length) : harness.names();
    System.out.println(
        "| work | rounds | resident in the second quarter (MB) | in the last | native kB a round |"
            + " native objects | Java kB |");
    System.out.println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (String name : names) {
      Trace trace = harness.repeat(name, rounds);
      System.out.println(trace.row());
      if (Boolean.getBoolean("leak.samples")) {
        trace.samples().forEach(System.out::println);
      }
    }
    FileTree.delete(base);
    System.exit(0);
  }
}
