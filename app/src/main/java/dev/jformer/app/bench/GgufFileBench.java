package dev.jformer.app.bench;

import dev.jformer.compress.Fold;
import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Gguf;
import dev.jformer.hub.GgufSummary;
import dev.jformer.hub.Models;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;

/** A GGUF file as it is loaded, beside the same model in other weights, and beside llama.cpp. */
final class GgufFileBench {
  private static final int PASS = 128;
  private static final int PROMPT = 512;

  private final Path file;
  private final int rounds;
  private final Peers peers;
  private final Consumer<String> progress;

  GgufFileBench(Path file, int rounds, Peers peers, Consumer<String> progress) {
    this.file = file;
    this.rounds = rounds;
    this.peers = peers;
    this.progress = progress;
  }

  /** Loading the file. */
  private record Loading(Path file) implements Workload {
    @Override
    public String name() {
      return "loading";
    }

    @Override
    public double run() {
      long start = System.nanoTime();
      load(file).close();
      return (System.nanoTime() - start) / 1e6;
    }
  }

  /** The forward pass of a prompt. */
  private record Pass(String name, CausalLm model, int length) implements Workload {
    @Override
    public double run() {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.inference()) {
        Tensor ids = Tensor.randint(0, model.config().vocab(), 1, length);
        long start = System.nanoTime();
        model.logits(ids);
        return (System.nanoTime() - start) / 1e6;
      }
    }
  }

  private static CausalLm load(Path file) {
    try {
      return (CausalLm) Models.load(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Measures loading, memory, decoding, and the pass of a prompt. */
  List<BenchReport.Row> run() {
    String name = file.getFileName().toString();
    List<BenchReport.Row> rows = new ArrayList<>();
    Rounds loading = Rounds.measure(rounds, progress, new Loading(file));
    rows.add(alone("loading " + name, loading.milliseconds(0) / 1e3, "s", ""));
    try (CausalLm few = load(file);
        CausalLm floats = Fold.fold(few)) {
      Rounds decoding =
          Rounds.measure(
              rounds,
              progress,
              new OurDecoding("greedy decoding, " + name, few, 1),
              new OurDecoding("float32", floats, 1));
      rows.add(Benchmarks.beside(decoding, OurDecoding.NEW_TOKENS, "tokens/s", 0, 1, 1));
      Rounds passes =
          Rounds.measure(
              rounds,
              progress,
              new Pass("pass of " + PASS + " tokens, " + name, few, PASS),
              new Pass("float32", floats, PASS));
      rows.add(Benchmarks.beside(passes, PASS, "tokens/s", 0, 1, Double.NaN));
      double held = bytes(few) / 1e6; // after use, with what kernels need
      rows.add(1, alone("weights in memory, " + name, held, "MB", note()));
      if (peers.has("llama_cpp")) {
        rows.addAll(besideLlama(name, few, floats));
      }
    }
    return rows;
  }

  /** Decoding and a prompt beside llama.cpp, on the file and on the same model in Q8_0. */
  private List<BenchReport.Row> besideLlama(String name, CausalLm few, CausalLm floats) {
    try {
      Path folder = Files.createTempDirectory("jformer-bench");
      Path eightFile = folder.resolve("Q8_0.gguf");
      try (Scope scope = Scope.open()) {
        Gguf.save(floats, Tokenizers.load(file), Set.of(), GgufType.Q8_0, eightFile);
      }
      try (CausalLm four = (CausalLm) new WeightInt4().apply(floats, null);
          CausalLm eight = (CausalLm) new WeightInt8().apply(floats, null);
          CausalLm eightBlocks = load(eightFile);
          PeerProcess theirs =
              llama("llama.cpp, " + name, file, OurDecoding.PROMPT, OurDecoding.NEW_TOKENS);
          PeerProcess eightTheirs =
              llama("llama.cpp, Q8_0", eightFile, OurDecoding.PROMPT, OurDecoding.NEW_TOKENS);
          PeerProcess prompt = llama("llama.cpp, " + name, file, PROMPT, 0)) {
        Rounds decoding =
            Rounds.measure(
                rounds,
                progress,
                new OurDecoding("greedy decoding, " + name, few, 1),
                new OurDecoding("greedy decoding, its weights in weight-int4", four, 1),
                theirs,
                new OurDecoding("greedy decoding, its weights in Q8_0", eightBlocks, 1),
                new OurDecoding("greedy decoding, its weights in weight-int8", eight, 1),
                eightTheirs);
        List<BenchReport.Row> rows = new ArrayList<>();
        for (int[] pair : new int[][] {{0, 2}, {1, 2}, {3, 5}, {4, 5}}) {
          rows.add(
              Benchmarks.beside(decoding, OurDecoding.NEW_TOKENS, "tokens/s", pair[0], pair[1], 1));
        }
        Rounds prompts =
            Rounds.measure(
                rounds,
                progress,
                new Pass("prompt of " + PROMPT + " tokens, float32", floats, PROMPT),
                new Pass("prompt of " + PROMPT + " tokens, weight-int8", eight, PROMPT),
                prompt);
        rows.add(Benchmarks.beside(prompts, PROMPT, "tokens/s", 0, 2, 2));
        rows.add(Benchmarks.beside(prompts, PROMPT, "tokens/s", 1, 2, 2));
        return rows;
      } finally {
        Files.delete(eightFile);
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private PeerProcess llama(String name, Path model, int prompt, int tokens) {
    return peers.python(
        name,
        "llama_cpp_decode.py",
        "--model",
        model.toString(),
        "--prompt",
        String.valueOf(prompt),
        "--new-tokens",
        String.valueOf(tokens));
  }

  private String note() {
    try {
      GgufSummary summary = GgufSummary.read(file);
      return String.format(
          Locale.ROOT,
          "%.1f MB in the file, %.1f in float32",
          summary.bytes() / 1e6,
          4e-6 * summary.parameters());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static double bytes(Model model) {
    return model.parameterBytes()
        + model.modules().values().stream().mapToLong(Module::derivedBytes).sum();
  }

  private static BenchReport.Row alone(String name, double value, String unit, String note) {
    return new BenchReport.Row(
        name, value, "", Double.NaN, unit, Double.NaN, Double.NaN, Double.NaN, Double.NaN, note);
  }
}
