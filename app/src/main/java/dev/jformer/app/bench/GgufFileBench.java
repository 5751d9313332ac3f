package dev.jformer.app.bench;

import dev.jformer.compress.Fold;
import dev.jformer.hub.GgufSummary;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** A GGUF file as it is loaded, beside the same model with all weights in float32. */
final class GgufFileBench {
  private static final int PASS = 128;

  private final Path file;
  private final int rounds;
  private final Consumer<String> progress;

  GgufFileBench(Path file, int rounds, Consumer<String> progress) {
    this.file = file;
    this.rounds = rounds;
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
  private record Pass(String name, CausalLm model) implements Workload {
    @Override
    public double run() {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.inference()) {
        Tensor ids = Tensor.randint(0, model.config().vocab(), 1, PASS);
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
    try (OurDecoding few = new OurDecoding(load(file), "greedy decoding, " + name);
        OurDecoding floats = new OurDecoding(Fold.fold(few.model()), "float32")) {
      Rounds decoding = Rounds.measure(rounds, progress, few, floats);
      rows.add(Benchmarks.beside(decoding, OurDecoding.NEW_TOKENS, "tokens/s", 0, 1, 1));
      Rounds passes =
          Rounds.measure(
              rounds,
              progress,
              new Pass("pass of " + PASS + " tokens, " + name, few.model()),
              new Pass("float32", floats.model()));
      rows.add(Benchmarks.beside(passes, PASS, "tokens/s", 0, 1, Double.NaN));
      double held = bytes(few.model()) / 1e6; // after use, with what kernels need
      rows.add(1, alone("weights in memory, " + name, held, "MB", note()));
    }
    return rows;
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
