package dev.jformer.app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.Fold;
import dev.jformer.compress.Surgery;
import dev.jformer.config.Configs;
import dev.jformer.data.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.ImageClassifier;
import dev.jformer.model.Model;
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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer compress}. */
@Command(
    name = "compress",
    mixinStandardHelpOptions = true,
    description = {
      "Make a trained model smaller or cheaper, and measure what it loses and gains: quality, bytes",
      "on disk and in memory, latency and throughput, before and after. The result works wherever",
      "the model did. 'jformer info' lists the methods."
    },
    footer = {
      "",
      "Examples:",
      "  jformer compress runs/play --with llm-int8 --out runs/play-int8",
      "  jformer compress minilm --with llm-int8 --out minilm-int8 --data sts",
      "  jformer compress runs/play --with weight-int4 --out runs/play-int4 --data other.txt",
      "  jformer compress runs/play --with '{\"type\":\"llm-int8\",\"threshold\":5}' --out smaller"
    })
final class CompressCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A model's folder, which is left as it is.")
  private Path folder;

  @Option(
      names = "--with",
      required = true,
      paramLabel = "METHOD",
      description =
          "Names separated by commas, or a JSON object with a method's fields; may be repeated."
              + " They are applied one after the other.")
  private List<String> with;

  @Option(names = "--out", required = true, paramLabel = "FOLDER", description = "Where it goes.")
  private Path out;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "What both models are held to, and methods are calibrated with: text, labelled texts, scored"
              + " pairs of texts or images, as the model takes (quality by default: the text held out"
              + " in training).")
  private Path data;

  @Option(names = "--ending", paramLabel = ".EXT", description = "Only files that end so.")
  private List<String> endings = List.of();

  @Option(
      names = "--calibration",
      paramLabel = "N",
      description = "The most batches to calibrate with (default ${DEFAULT-VALUE}).")
  private int calibration = 16;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(quiet, json);
    if (calibration < 1) {
      throw new Failure("--calibration is " + calibration + ": expected at least 1");
    }
    List<Surgery> methods = methods();
    folder = Pretrained.find(folder);
    if (Files.exists(out)) {
      throw new Failure(out + " is there already: choose another folder with --out");
    }
    if (data != null && !Files.exists(data)) {
      throw new Failure("no such file or folder: " + data);
    }
    methods.stream()
        .filter(method -> method.needs() == Surgery.Needs.CALIBRATION && data == null)
        .findFirst()
        .ifPresent(
            method -> {
              throw new Failure(
                  method.type()
                      + " needs data that is like what the model will see: give some with --data");
            });
    try (Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      model.train(false);
      try (Model made = operate(model, methods, console)) {
        Offspring.save(made, folder, out);
        console.say("the model is in %s; measuring", out);
        print(compare(model, made, console));
      }
    }
    return 0;
  }

  private List<Surgery> methods() {
    List<Surgery> methods = new ArrayList<>();
    for (String text : with) {
      if (text.strip().startsWith("{")) {
        methods.add(Configs.parse(text, Surgery.class));
      } else {
        for (String name : text.split(",", -1)) {
          String object = new JsonMapper().createObjectNode().put("type", name.strip()).toString();
          methods.add(Configs.parse(object, Surgery.class));
        }
      }
    }
    return methods;
  }

  private Model operate(Model model, List<Surgery> methods, Console console) throws IOException {
    Model.Config plain = Configs.replace(model.config(), Projection.class, Projection::folded);
    Model current = model;
    try {
      if (!plain.equals(model.config())) {
        console.say("folding what served training only");
        current = Fold.fold(model);
      }
      for (Surgery method : methods) {
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

  private Model apply(Surgery method, Model model, Console console) throws IOException {
    if (method.needs() == Surgery.Needs.NOTHING) {
      return operate(method, model, null, console);
    }
    try (CalibrationData batches =
        CalibrationData.read(model, folder, data, endings, calibration, console)) {
      return operate(method, model, batches, console);
    }
  }

  private static Model operate(
      Surgery method, Model model, CalibrationData batches, Console console) {
    try (Console.Bar bar = console.bar(method.type(), 100, "%")) {
      return method.operate(model, batches, done -> bar.at(Math.round(100 * done), ""));
    }
  }

  private List<Comparison> compare(Model before, Model after, Console console) throws IOException {
    List<Comparison> rows = new ArrayList<>();
    quality(rows, before, after, console);
    rows.add(new Comparison("bytes on disk", stored(folder), stored(out), "%,.0f"));
    if (Passes.suit(before)) {
      speed(rows, before, after);
    }
    // Last, for kernels may keep a form of the weights of their own from their first use on.
    rows.add(
        new Comparison(
            "bytes of weights in memory", Passes.bytes(before), Passes.bytes(after), "%,.0f"));
    return rows;
  }

  private void quality(List<Comparison> rows, Model before, Model after, Console console)
      throws IOException {
    if (Passes.embeds(before) && data != null) {
      Likeness likeness = new Likeness(Likeness.files(data), true, console);
      rows.add(
          new Comparison(
              "STS, Spearman x 100",
              Likeness.mean(likeness.scores(embedding(before))),
              Likeness.mean(likeness.scores(embedding(after))),
              "%.2f"));
      return;
    }
    boolean labelled =
        before instanceof ImageClassifier
            || (before instanceof Encoder encoder && encoder.config().labels() > 0);
    boolean heldOut = Files.isDirectory(folder.resolve("data")) && !labelled;
    if (!Passes.suit(before) || (data == null && !heldOut)) {
      console.say("quality is not measured: give data with --data");
      return;
    }
    Evaluation evaluation = new Evaluation(folder, data, endings, 16, true, console);
    JsonNode old = new JsonMapper().readTree(evaluation.of(before));
    JsonNode now = new JsonMapper().readTree(evaluation.of(after));
    rows.add(
        new Comparison(
            "loss (nats)", old.path("loss").asDouble(), now.path("loss").asDouble(), "%.4f"));
    if (labelled) {
      rows.add(
          new Comparison(
              "right (%)",
              100 * old.path("accuracy").asDouble(),
              100 * now.path("accuracy").asDouble(),
              "%.2f"));
    }
  }

  private SentenceEncoder embedding(Model model) throws IOException {
    return new SentenceEncoder((Encoder) model, Tokenizers.load(folder));
  }

  private static void speed(List<Comparison> rows, Model before, Model after) {
    List<Model> both = List.of(before, after);
    double[] one = Passes.seconds(both, 1);
    double[] many = Passes.seconds(both, 32);
    rows.add(new Comparison("latency of 1 (ms)", 1e3 * one[0], 1e3 * one[1], "%.2f"));
    rows.add(new Comparison("latency of 32 (ms)", 1e3 * many[0], 1e3 * many[1], "%.2f"));
    double units = 32.0 * Passes.units(before);
    rows.add(
        new Comparison(
            Passes.unit(before) + "/s, 32 at a time", units / many[0], units / many[1], "%,.0f"));
    if (before instanceof CausalLm) {
      double[] token = Passes.secondsOfToken(both);
      rows.add(new Comparison("tokens/s, decoding one text", 1 / token[0], 1 / token[1], "%,.1f"));
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

  private void print(List<Comparison> rows) {
    System.out.println(json ? Comparison.json(rows) : Comparison.table(rows));
  }
}
