package dev.jformer.app.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.Compression;
import dev.jformer.compress.Fold;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer compress}. */
@Command(
    name = "compress",
    header = "Make a trained model smaller or faster",
    description =
        """
        Applies compression methods to a copy of a model, and measures both: quality, bytes on disk
        and in memory, latency and throughput. The result can be used wherever the model could.
        'jformer info' lists the methods.
        """,
    footer =
        """
        Examples:
          jformer compress runs/play --with llm-int8 --out runs/play-int8
          jformer compress minilm --with llm-int8 --out minilm-int8 --data sts
          jformer compress runs/play --with weight-int4 --out small --data other.txt
          jformer compress runs/play --with '{"type":"llm-int8","threshold":5}' \\
              --out small
        """)
final class CompressCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "The folder of a model, which is not changed.")
  private Path folder;

  @Option(
      names = "--with",
      required = true,
      paramLabel = "METHOD",
      description =
          "Names of methods separated by commas, or a method with its fields as a JSON object; may"
              + " be repeated. Methods are applied one after the other.")
  private List<String> with;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FOLDER",
      description = "The folder to write to.")
  private Path out;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "The data to calibrate methods with and to measure quality on: text, labelled texts,"
              + " scored pairs of texts, or images (default: the text held out in training, for"
              + " quality only).")
  private Path data;

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files whose names end with this; may be repeated.")
  private List<String> endings = List.of();

  @Option(
      names = "--calibration",
      paramLabel = "N",
      description = "The most batches to calibrate with (default ${DEFAULT-VALUE}).")
  private int calibration = 16;

  @Mixin private JsonOption json;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(progress.isSet(), json.isSet());
    if (calibration < 1) {
      throw new CommandException("--calibration is " + calibration + ": expected at least 1");
    }
    List<Compression> methods = methods();
    folder = Pretrained.find(folder);
    if (Files.exists(out)) {
      throw new CommandException(out + " is there already: choose another folder with --out");
    }
    if (data != null && !Files.exists(data)) {
      throw new CommandException("no such file or folder: " + data);
    }
    methods.stream()
        .filter(method -> method.needs() == Compression.Needs.CALIBRATION && data == null)
        .findFirst()
        .ifPresent(
            method -> {
              throw new CommandException(
                  method.type()
                      + " needs data that is like what the model will see: give some with --data");
            });
    try (Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      model.train(false);
      try (Model made = operate(model, methods, console)) {
        DerivedModelFolder.save(made, folder, out);
        console.say("the model is in %s; measuring", out);
        print(compare(model, made, console));
      }
    }
    return 0;
  }

  private List<Compression> methods() {
    List<Compression> methods = new ArrayList<>();
    for (String text : with) {
      if (text.strip().startsWith("{")) {
        methods.add(Configs.parse(text, Compression.class));
      } else {
        for (String name : text.split(",", -1)) {
          String object = new JsonMapper().createObjectNode().put("type", name.strip()).toString();
          methods.add(Configs.parse(object, Compression.class));
        }
      }
    }
    return methods;
  }

  private Model operate(Model model, List<Compression> methods, Console console)
      throws IOException {
    Model.Config plain = Configs.replace(model.config(), Projection.class, Projection::folded);
    Model current = model;
    try {
      if (!plain.equals(model.config())) {
        console.say("folding what served training only");
        current = Fold.fold(model);
      }
      for (Compression method : methods) {
        console.say("%s", Configs.write(method));
        Model next = apply(method, current, console);
        if (current != model) {
          current.close();
        }
        current = next;
      }
      return current;
    } catch (IOException | RuntimeException | Error e) {
      if (current != model) {
        current.close();
      }
      throw e;
    }
  }

  private Model apply(Compression method, Model model, Console console) throws IOException {
    if (method.needs() == Compression.Needs.NOTHING) {
      return operate(method, model, null, console);
    }
    try (CalibrationReader batches =
        CalibrationReader.read(model, folder, data, endings, calibration, console)) {
      return operate(method, model, batches, console);
    }
  }

  private static Model operate(
      Compression method, Model model, CalibrationReader batches, Console console) {
    try (Console.Bar bar = console.bar(method.type(), 100, "%")) {
      return method.apply(model, batches, done -> bar.at(Math.round(100 * done), ""));
    }
  }

  private List<BeforeAfter> compare(Model before, Model after, Console console) throws IOException {
    List<BeforeAfter> rows = new ArrayList<>();
    quality(rows, before, after, console);
    rows.add(new BeforeAfter("bytes on disk", stored(folder), stored(out), "%,.0f"));
    if (ForwardBenchmark.suit(before)) {
      speed(rows, before, after);
    }
    // Last, for kernels may keep a form of the weights of their own from their first use on.
    rows.add(
        new BeforeAfter(
            "bytes of weights in memory",
            ForwardBenchmark.bytes(before),
            ForwardBenchmark.bytes(after),
            "%,.0f"));
    return rows;
  }

  private void quality(List<BeforeAfter> rows, Model before, Model after, Console console)
      throws IOException {
    if (ForwardBenchmark.embeds(before) && data != null) {
      StsEvaluation likeness = new StsEvaluation(StsEvaluation.files(data), true, console);
      rows.add(
          new BeforeAfter(
              "STS, Spearman x 100",
              StsEvaluation.mean(likeness.scores(embedding(before))),
              StsEvaluation.mean(likeness.scores(embedding(after))),
              "%.2f"));
      return;
    }
    boolean labelled =
        before instanceof ImageClassifier
            || (before instanceof Encoder encoder && encoder.config().labels() > 0);
    boolean heldOut = Files.isDirectory(folder.resolve("data")) && !labelled;
    if (!ForwardBenchmark.suit(before) || (data == null && !heldOut)) {
      console.say("quality is not measured: give data with --data");
      return;
    }
    Evaluation evaluation = new Evaluation(folder, data, endings, 16, true, console);
    JsonNode old = new JsonMapper().readTree(evaluation.of(before));
    JsonNode now = new JsonMapper().readTree(evaluation.of(after));
    rows.add(
        new BeforeAfter(
            "loss (nats)", old.path("loss").asDouble(), now.path("loss").asDouble(), "%.4f"));
    if (labelled) {
      rows.add(
          new BeforeAfter(
              "right (%)",
              100 * old.path("accuracy").asDouble(),
              100 * now.path("accuracy").asDouble(),
              "%.2f"));
    }
  }

  private SentenceEncoder embedding(Model model) throws IOException {
    return new SentenceEncoder((Encoder) model, Tokenizers.load(folder));
  }

  private static void speed(List<BeforeAfter> rows, Model before, Model after) {
    List<Model> both = List.of(before, after);
    double[] one = ForwardBenchmark.seconds(both, 1);
    double[] many = ForwardBenchmark.seconds(both, 32);
    rows.add(new BeforeAfter("latency of 1 (ms)", 1e3 * one[0], 1e3 * one[1], "%.2f"));
    rows.add(new BeforeAfter("latency of 32 (ms)", 1e3 * many[0], 1e3 * many[1], "%.2f"));
    double units = 32.0 * ForwardBenchmark.units(before);
    rows.add(
        new BeforeAfter(
            ForwardBenchmark.unit(before) + "/s, 32 at a time",
            units / many[0],
            units / many[1],
            "%,.0f"));
    if (before instanceof CausalLm) {
      double[] token = ForwardBenchmark.secondsOfToken(both);
      rows.add(new BeforeAfter("tokens/s, decoding one text", 1 / token[0], 1 / token[1], "%,.1f"));
    }
  }

  /** Bytes of the files of weights in a folder. */
  private static double stored(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      double sum = 0;
      for (Path file :
          files.filter(f -> f.toString().matches(".*\\.(safetensors|onnx)")).toList()) {
        sum += Files.size(file);
      }
      return sum;
    }
  }

  private void print(List<BeforeAfter> rows) {
    System.out.println(json.isSet() ? BeforeAfter.json(rows) : BeforeAfter.table(rows));
  }
}
