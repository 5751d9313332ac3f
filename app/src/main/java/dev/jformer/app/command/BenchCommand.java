package dev.jformer.app.command;

import dev.jformer.app.bench.BenchReport;
import dev.jformer.app.bench.Benchmarks;
import dev.jformer.app.bench.DecodingShape;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.gguf.GgufFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer bench}: how fast, beside what. */
@Command(
    name = "bench",
    header = "Measure speed on this machine, beside other programs",
    description =
        """
        Measures the speed of training, decoding and encoding, always beside a peer that takes
        turns with it in the same run. These are the parts:
          step      the training step of a GPT beside the same ATen calls written by hand
          settings  the step beside every thread and BLAS setting worth trying
          pytorch   the step beside PyTorch's (needs --python)
          bf16      the step in bf16 beside float32
          context   the step of a small model that learns functions in context beside
                    PyTorch's
          decode    greedy decoding of a GPT-2-small shape beside transformers'
          shapes    greedy decoding of the shapes of SmolLM2-135M, Qwen2.5-0.5B and
                    Llama-3.2-1B in 32, 8 and 4 bits, one text and eight, beside
                    transformers' and one thread (takes 10 GB of memory)
          images    the forward pass of PoolFormer-S12 beside timm's
          int8      an encoder with LLM.int8(), and decoding with 8- and 4-bit
                    weights, beside float32
          gguf      loading and decoding a GGUF file, beside its weights in float32,
                    and beside llama.cpp's if Python has llama-cpp-python (needs --model)
        """)
final class BenchCommand implements Callable<Integer> {
  @Option(
      names = "--only",
      split = ",",
      paramLabel = "PART",
      description = "Measure only these parts, separated by commas.")
  private Set<Benchmarks.Part> only = EnumSet.allOf(Benchmarks.Part.class);

  @Option(
      names = "--shapes",
      split = ",",
      paramLabel = "SHAPE",
      description = "The shapes of that part (default: ${DEFAULT-VALUE}).")
  private Set<DecodingShape> shapes = EnumSet.complementOf(EnumSet.of(DecodingShape.GPT2_SMALL));

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How many times each is measured, in turns (default ${DEFAULT-VALUE}).")
  private int rounds = 7;

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      description =
          "A Python interpreter with torch and transformers, for the parts that need them.")
  private String python;

  @Option(
      names = "--model",
      paramLabel = "FILE.gguf",
      description = "A language model in a GGUF file, for the part that needs it.")
  private Path model;

  @Mixin private JsonOption json;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "A folder to write bench.md and bench.json to.")
  private Path out;

  @Override
  public Integer call() throws Exception {
    if (model != null && !(GgufFile.isNamed(model) && Files.isRegularFile(model))) {
      throw new CommandException("--model is " + model + ": expected a GGUF file");
    }
    BenchReport report =
        new Benchmarks(rounds, python, model, System.err::println).run(only, shapes);
    json.printer().print(report, BenchReport::toMarkdown);
    if (out != null) {
      Files.createDirectories(out);
      AtomicFile.write(
          out.resolve("bench.json"),
          (Printer.tree(report).toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
      AtomicFile.write(
          out.resolve("bench.md"), report.toMarkdown().getBytes(StandardCharsets.UTF_8));
    }
    return 0;
  }
}
