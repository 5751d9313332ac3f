package dev.jformer.app.bench;

import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.model.vision.MetaFormer;
import dev.jformer.studies.trial.Timings;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** Runs benchmarks. */
public final class Benchmarks {
  /** What can be measured. */
  public enum Part {
    STEP,
    SETTINGS,
    PYTORCH,
    BF16,
    CONTEXT,
    DECODE,
    SHAPES,
    IMAGES,
    INT8,
    GGUF
  }

  private static final int STEPS = 5;
  private static final int IMAGES = 8;
  private static final double NONE = Double.NaN;

  private final int rounds;
  private final Peers peers;
  private final Path gguf;
  private final Consumer<String> progress;
  private final List<BenchReport.Row> rows = new ArrayList<>();
  private double peak;

  /**
   * Benchmarks of a number of rounds.
   *
   * @param python an interpreter with torch and transformers; null to leave out what needs them
   * @param gguf a language model in a GGUF file; null to leave out what needs one
   */
  public Benchmarks(int rounds, String python, Path gguf, Consumer<String> progress) {
    this.rounds = rounds;
    this.peers = new Peers(python);
    this.gguf = gguf;
    this.progress = progress;
  }

  /**
   * Measures the parts asked for, those in bfloat16 only where the processor has instructions for
   * it: on an EPYC without them twelve products of 2048-cubed matrices took more than ten minutes.
   *
   * @param shapes those of {@link Part#SHAPES}
   */
  public BenchReport run(Set<Part> parts, Set<DecodingShape> shapes) {
    progress.accept("measuring what the machine can do");
    peak = Roofline.matmulFlops(DType.FLOAT32);
    rows.add(limit("matrix product 2048, float32", peak / 1e9, "GFLOP/s"));
    boolean hasBfloat16 = Engine.hasBfloat16();
    if (hasBfloat16) {
      double peak16 = Roofline.matmulFlops(DType.BFLOAT16);
      rows.add(limit("matrix product 2048, bf16", peak16 / 1e9, "GFLOP/s"));
    } else if (parts.contains(Part.BF16)) {
      progress.accept("bfloat16 is left out: this processor has no instructions for it");
    }
    double bandwidth = Roofline.readBandwidth();
    rows.add(limit("reading memory", bandwidth / 1e9, "GB/s"));
    for (GptShape shape : List.of(GptShape.SMALL, GptShape.LARGE)) {
      int steps = shape.equals(GptShape.SMALL) ? STEPS : 2;
      if (parts.contains(Part.STEP)) {
        step(shape, steps);
      }
      if (parts.contains(Part.PYTORCH) && peers.interpreter() != null) {
        pytorch(shape, steps);
      }
      if (parts.contains(Part.BF16) && hasBfloat16) {
        bf16(shape, steps);
      }
    }
    if (parts.contains(Part.SETTINGS)) {
      settings();
    }
    if (parts.contains(Part.CONTEXT)) {
      inContext();
    }
    DecodingBench decoding = new DecodingBench(rounds, peers, progress);
    if (parts.contains(Part.DECODE)) {
      rows.addAll(decoding.floats());
    }
    if (parts.contains(Part.SHAPES)) {
      shapes.forEach(shape -> rows.addAll(decoding.shape(shape)));
    }
    if (parts.contains(Part.IMAGES)) {
      images();
    }
    if (parts.contains(Part.INT8)) {
      encoding();
      rows.addAll(decoding.fewBits());
    }
    if (parts.contains(Part.GGUF) && gguf != null) {
      rows.addAll(new GgufFileBench(gguf, rounds, peers, progress).run());
    }
    return new BenchReport(machine(), rounds, rows);
  }

  private static BenchReport.Row limit(String name, double value, String unit) {
    return new BenchReport.Row(name, value, "", NONE, unit, NONE, NONE, NONE, NONE, "");
  }

  private void step(GptShape shape, int steps) {
    try (OurStep ours = new OurStep("ours " + shape.label(), shape, false, steps);
        HandWrittenStep theirs = new HandWrittenStep(shape, steps)) {
      compare("training step " + shape.label(), shape, 0.97, ours, theirs);
    }
  }

  private void bf16(GptShape shape, int steps) {
    try (OurStep ours = new OurStep("ours bf16 " + shape.label(), shape, true, steps);
        OurStep theirs = new OurStep("ours float32", shape, false, steps)) {
      double bar = shape.equals(GptShape.LARGE) ? 1.5 : NONE;
      compare("training step " + shape.label() + ", bf16", shape, bar, ours, theirs);
    }
  }

  private void pytorch(GptShape shape, int steps) {
    try (OurStep ours = new OurStep("ours " + shape.label(), shape, false, steps);
        PeerProcess theirs =
            peers.python(
                "PyTorch, eager",
                "train_step.py",
                "--warmup",
                "2",
                "--steps",
                String.valueOf(steps),
                "--layers",
                String.valueOf(shape.layers()),
                "--width",
                String.valueOf(shape.width()),
                "--heads",
                String.valueOf(shape.heads()),
                "--batch",
                String.valueOf(shape.batch()),
                "--length",
                String.valueOf(shape.length()))) {
      compare("training step " + shape.label(), shape, 1.0, ours, theirs);
    }
  }

  /** A small model, for which what is not computing counts. */
  private void inContext() {
    int steps = 10 * STEPS;
    try (OurInContext ours = new OurInContext(steps);
        PeerProcess theirs =
            peers.python(
                "PyTorch, eager", "in_context_step.py", "--steps", String.valueOf(steps))) {
      int prompts = OurInContext.BATCH;
      if (theirs == null) {
        Rounds measured = Rounds.measure(rounds, progress, ours);
        rows.add(limit(ours.name(), prompts / measured.milliseconds(0) * 1e3, "prompts/s"));
        return;
      }
      Rounds measured = Rounds.measure(rounds, progress, ours, theirs);
      rows.add(beside(measured, prompts, "prompts/s", 0, 1, 1.2));
    }
  }

  /**
   * This program as it comes beside itself with every setting worth trying, each in a process of
   * its own.
   */
  private void settings() {
    int cores = Engine.physicalCores();
    Map<String, PeerProcess> processes = new LinkedHashMap<>();
    processes.put("as it comes", peers.worker("as it comes", List.of(), Map.of()));
    for (int threads = 1; threads <= 2 * cores; threads *= 2) {
      String name = "mkl, " + threads + " threads";
      processes.put(
          name,
          peers.worker(
              name, List.of("-Djformer.blas=mkl", "-Djformer.threads=" + threads), Map.of()));
    }
    // OpenBLAS' threads and OpenMP's fight each other unless one of them has a single thread.
    String name = "openblas, its own threads only";
    processes.put(
        name,
        peers.worker(
            name,
            List.of("-Djformer.blas=openblas", "-Djformer.threads=1"),
            Map.of("OMP_NUM_THREADS", "1", "OPENBLAS_NUM_THREADS", String.valueOf(cores))));
    name = "mkl, memory kept";
    processes.put(
        name,
        peers.worker(
            name,
            List.of("-Djformer.blas=mkl"),
            Map.of(
                "MALLOC_MMAP_THRESHOLD_", "1073741824", "MALLOC_TRIM_THRESHOLD_", "4294967296")));
    try {
      Rounds measured =
          Rounds.measure(rounds, progress, processes.values().toArray(Workload[]::new));
      int best = 1;
      for (int i = 1; i < processes.size(); i++) {
        best = measured.milliseconds(i) < measured.milliseconds(best) ? i : best;
      }
      add("as it comes " + GptShape.SMALL.label(), GptShape.SMALL, 0.95, measured, 0, best);
    } finally {
      processes.values().forEach(PeerProcess::close);
    }
  }

  /** PoolFormer-S12 on images of 224 x 224, beside timm's. */
  private void images() {
    MetaFormer.Config poolFormer = new MetaFormer.Config();
    try (OurImages ours = new OurImages("PoolFormer-S12", poolFormer, IMAGES, STEPS)) {
      if (peers.interpreter() == null) {
        Rounds measured = Rounds.measure(rounds, progress, ours);
        rows.add(
            limit(ours.name() + ", forward", IMAGES / measured.milliseconds(0) * 1e3, "images/s"));
        return;
      }
      try (PeerProcess planes = timm("timm", poolFormer.size());
          PeerProcess pixels = timm("timm, channels last", poolFormer.size(), "--channels-last")) {
        Rounds measured = Rounds.measure(rounds, progress, ours, planes, pixels);
        for (int peer = 1; peer <= 2; peer++) {
          rows.add(beside(measured, IMAGES, "images/s", 0, peer, 1));
        }
      }
    }
  }

  private PeerProcess timm(String name, int size, String... more) {
    List<String> options = new ArrayList<>(List.of("--batch", String.valueOf(IMAGES)));
    options.addAll(List.of("--steps", String.valueOf(STEPS), "--size", String.valueOf(size)));
    options.addAll(List.of(more));
    return peers.python(name, "poolformer.py", options.toArray(String[]::new));
  }

  /** An encoder of MiniLM's shape by LLM.int8(), beside itself in float32 and ONNX Runtime. */
  private void encoding() {
    List<Workload> all = new ArrayList<>();
    try {
      all.add(new OurEncoding("encoding, MiniLM's shape, LLM.int8()", new LlmInt8()));
      all.add(new OurEncoding("float32", null));
      Path minilm =
          Peers.home().resolve(Path.of("app", "target", "models", "minilm", "model.onnx"));
      if (peers.interpreter() != null && Files.exists(minilm)) {
        String script = "onnx_encoder.py";
        String file = minilm.toString();
        all.add(peers.python("ONNX Runtime, float32", script, "--model", file));
        all.add(peers.python("ONNX Runtime, dynamic int8", script, "--model", file, "--int8"));
      }
      Rounds measured = Rounds.measure(rounds, progress, all.toArray(Workload[]::new));
      for (int other = 1; other < all.size(); other++) {
        double bar = other == 1 ? 1.5 : 1;
        rows.add(beside(measured, OurEncoding.TOKENS, "tokens/s", 0, other, bar));
      }
    } finally {
      all.forEach(Workload::close);
    }
  }

  static BenchReport.Row beside(
      Rounds measured, double units, String unit, int ours, int theirs, double bar) {
    Timings.Statistics ratio = measured.speed(ours, theirs);
    return new BenchReport.Row(
        measured.workloads().get(ours).name(),
        units / measured.milliseconds(ours) * 1e3,
        measured.workloads().get(theirs).name(),
        units / measured.milliseconds(theirs) * 1e3,
        unit,
        ratio.median(),
        ratio.low(),
        ratio.high(),
        bar,
        "");
  }

  private void compare(String name, GptShape shape, double bar, Workload ours, Workload theirs) {
    add(name, shape, bar, Rounds.measure(rounds, progress, ours, theirs), 0, 1);
  }

  private void add(String name, GptShape shape, double bar, Rounds measured, int ours, int theirs) {
    Timings.Statistics ratio = measured.speed(ours, theirs);
    double ms = measured.milliseconds(ours);
    rows.add(
        new BenchReport.Row(
            name,
            shape.tokens() / ms * 1e3,
            measured.workloads().get(theirs).name(),
            shape.tokens() / measured.milliseconds(theirs) * 1e3,
            "tokens/s",
            ratio.median(),
            ratio.low(),
            ratio.high(),
            bar,
            String.format(
                Locale.ROOT,
                "%.0f GFLOP/s, %.0f %% of the float32 peak",
                shape.flops() / ms / 1e6,
                100 * shape.flops() / ms * 1e3 / peak)));
  }

  private static String machine() {
    String cpu = System.getProperty("os.arch");
    try {
      for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
        if (line.startsWith("model name")) {
          cpu = line.substring(line.indexOf(':') + 2);
          break;
        }
      }
    } catch (IOException e) {
      // Not Linux: the architecture has to do.
    }
    return String.format(
        Locale.ROOT,
        "%s, %d threads, %s, Java %s, libtorch %s with %s",
        cpu,
        Engine.threads(),
        System.getProperty("os.name"),
        Runtime.version().feature(),
        Engine.version(),
        Engine.blas());
  }
}
