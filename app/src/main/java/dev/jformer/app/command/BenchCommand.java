package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.app.bench.BenchReport;
import dev.jformer.app.bench.Benchmarks;
import dev.jformer.io.AtomicFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jformer bench}: how fast, beside what. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measure speed on this machine, always beside something else in the same run.",
      "",
      "Parts:",
      "  step      a GPT's training step beside the same ATen calls written by hand",
      "  settings  the step as it comes beside every thread and BLAS setting worth trying",
      "  pytorch   the step beside PyTorch's (--python names an interpreter that has it)",
      "  bf16      the step in bf16 beside float32",
      "  decode    greedy decoding of a GPT-2-small-shaped model beside transformers'",
      "  images    PoolFormer-S12's forward pass beside timm's",
      "  int8      an encoder by LLM.int8(), and decoding with 8- and 4-bit weights, beside float32",
      ""
    })
final class BenchCommand implements Callable<Integer> {
  @Option(
      names = "--only",
      split = ",",
      description = "Measure these parts only: ${COMPLETION-CANDIDATES}.")
  private Set<Benchmarks.Part> only = EnumSet.allOf(Benchmarks.Part.class);

  @Option(
      names = "--rounds",
      description = "Rounds in which all are measured once (default ${DEFAULT-VALUE}).")
  private int rounds = 7;

  @Option(
      names = "--python",
      paramLabel = "PROGRAM",
      description = "A Python with torch and transformers, for the parts that compare with them.")
  private String python;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Also write bench.md and bench.json there.")
  private Path out;

  @Override
  public Integer call() throws Exception {
    BenchReport report = new Benchmarks(rounds, python, System.err::println).run(only);
    String data = new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(report);
    System.out.println(json ? data : report.toMarkdown());
    if (out != null) {
      Files.createDirectories(out);
      AtomicFile.write(out.resolve("bench.json"), (data + "\n").getBytes(StandardCharsets.UTF_8));
      AtomicFile.write(
          out.resolve("bench.md"), report.toMarkdown().getBytes(StandardCharsets.UTF_8));
    }
    return 0;
  }
}
