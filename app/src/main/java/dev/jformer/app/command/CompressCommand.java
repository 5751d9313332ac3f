package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.Compression;
import dev.jformer.compress.Fold;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.run.CalibrationBatches;
import dev.jformer.run.DerivedModelFolder;
import dev.jformer.run.EvaluationRequest;
import dev.jformer.run.OutputFolder;
import dev.jformer.run.TrainedModel;
import dev.jformer.run.WeightCheck;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  @Parameters(
      paramLabel = "MODEL",
      description = "The folder of a model, or an .onnx or .gguf file, which is not changed.")
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

  @Mixin private OverwriteOption overwrite;

  @Mixin private JsonOption json;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    Console console = progress.console();
    if (calibration < 1) {
      throw new CommandException("--calibration is " + calibration + ": expected at least 1");
    }
    List<Compression> methods = methods();
    folder = Pretrained.find(folder);
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
                      + " needs calibration data, similar to what the model will be used on: give"
                      + " it with --data");
            });
    List<Path> inputs = data == null ? List.of(folder) : List.of(folder, data);
    try (OutputFolder target = OutputFolder.open(out, overwrite.isSet(), inputs).deletedAtEnd();
        Scope scope = Scope.open();
        TrainedModel before = checked(TrainedModel.load(folder));
        TrainedModel after = TrainedModel.of(folder, compress(before.model(), methods, console))) {
      DerivedModelFolder.write(after.model(), folder, target.staging());
      console.say("compressed; measuring");
      Map<String, BeforeAfter> rows = compare(before, after, target.staging(), console);
      target.publish();
      json.printer().print(rows, BeforeAfter::table);
      console.say("the model is in %s", out);
    }
    return 0;
  }

  /** The model to compress, whose weights must be finite. */
  private static TrainedModel checked(TrainedModel model) {
    Optional<String> fault = WeightCheck.nonFinite(model.model());
    if (fault.isPresent()) {
      model.close();
      throw new CommandException("the model in " + model.folder() + " is broken: " + fault.get());
    }
    return model;
  }

  /** Checks that the result of a method can be stored and used. */
  private static void check(Compression method, Model made) {
    Optional<String> fault = WeightCheck.nonFinite(made);
    if (fault.isEmpty() && !isStorable(made.config())) {
      fault = Optional.of("its configuration holds a number that is not finite");
    }
    if (fault.isPresent()) {
      made.close();
      throw new CommandException(
          "the weights overflow in "
              + method.type()
              + ": "
              + fault.get()
              + "; expected a model with weights and activations of ordinary size");
    }
  }

  /** Whether a configuration is the same when it is read again. */
  private static boolean isStorable(Model.Config config) {
    try {
      return Configs.parse(Configs.toJson(config), Model.Config.class).equals(config);
    } catch (ConfigException e) {
      return false;
    }
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

  /** A model that the methods were applied to, one after the other. */
  private Model compress(Model model, List<Compression> methods, Console console)
      throws IOException {
    Model.Config plain = Configs.replace(model.config(), Projection.class, Projection::folded);
    Model current = model;
    try {
      if (!plain.equals(model.config())) {
        console.say("folding weights that have another form in training");
        current = Fold.fold(model);
      }
      for (Compression method : methods) {
        console.say("%s", Configs.write(method));
        Model next = apply(method, current, console);
        check(method, next);
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
      return apply(method, model, null, console);
    }
    try (CalibrationBatches batches =
        TrainedModel.of(folder, model).calibration(data, endings, calibration, console)) {
      return apply(method, model, batches, console);
    }
  }

  private static Model apply(
      Compression method, Model model, CalibrationBatches batches, Console console) {
    try (Console.Bar bar = console.begin(method.type(), 100, "%")) {
      return method.apply(model, batches, done -> bar.at(Math.round(100 * done)));
    }
  }

  private Map<String, BeforeAfter> compare(
      TrainedModel before, TrainedModel after, Path made, Console console) throws IOException {
    Map<String, BeforeAfter> rows = new LinkedHashMap<>();
    if (data != null || before.hasHeldOutData()) {
      List<Path> measured = data == null ? List.of() : List.of(data);
      EvaluationRequest request = EvaluationRequest.of(measured).withEndings(endings);
      Metrics metrics = before.evaluate(request, console).metrics();
      checkFinite(metrics.primary(), "before compression");
      Metrics compressed = after.evaluate(request, console).metrics();
      checkFinite(compressed.primary(), "after compression");
      rows.putAll(BeforeAfter.quality(metrics, compressed));
    } else {
      console.say("quality is not measured: give data with --data");
    }
    rows.put("bytes on disk", new BeforeAfter(stored(folder), stored(made)));
    before.passes().ifPresent(passes -> rows.putAll(BeforeAfter.speed(passes, before, after)));
    // Last, because kernels may make their own form of the weights when they are first used.
    rows.put(
        "bytes of weights in memory", new BeforeAfter(bytes(before.model()), bytes(after.model())));
    return rows;
  }

  private static void checkFinite(Metric metric, String when) {
    if (!Double.isFinite(metric.value())) {
      throw new CommandException(
          "the "
              + Printer.label(metric.name())
              + " "
              + when
              + " is "
              + metric.value()
              + ": the weights are so large that outputs overflow");
    }
  }

  /** Bytes of the files of weights in a folder, or of a file. */
  private static double stored(Path folder) throws IOException {
    if (Files.isRegularFile(folder)) {
      return Files.size(folder);
    }
    try (Stream<Path> files = Files.list(folder)) {
      double sum = 0;
      for (Path file :
          files.filter(f -> f.toString().matches(".*\\.(safetensors|onnx)")).toList()) {
        sum += Files.size(file);
      }
      return sum;
    }
  }

  /** Bytes of memory that a model's weights take, those that were made for kernels among them. */
  private static long bytes(Model model) {
    return model.parameterBytes()
        + model.modules().values().stream().mapToLong(Module::derivedBytes).sum();
  }
}
