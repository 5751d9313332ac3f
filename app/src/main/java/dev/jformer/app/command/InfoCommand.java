package dev.jformer.app.command;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.Configs;
import dev.jformer.hub.GgufSummary;
import dev.jformer.hub.Models;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.model.Model;
import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code jformer info}. */
@Command(
    name = "info",
    header = "Explain parts, and show models and recipes",
    description =
        """
        Without an argument: the engine, and all parts that models, recipes and compression are
        made of. With the name of a kind, such as mixer: its parts. With the name of a part: what
        it is, its papers and its fields. With the folder of a model: its configuration and
        parameters. With a GGUF file: what it holds.
        """,
    footer =
        """
        Examples:
          jformer info
          jformer info mixer
          jformer info flow
          jformer info gate=top-k
              Needed where parts of several kinds have the same name.
          jformer info runs/play
          jformer info SmolLM2-135M-Instruct.Q4_1.gguf
          jformer info --recipe shakespeare > my.json
        """)
final class InfoCommand implements Callable<Integer> {
  private static final String ELLIPSIS = " ...";

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL|PART|KIND",
      description =
          "The folder of a model, or a GGUF file, or the name of a part or of a kind of parts.")
  private String named;

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      completionCandidates = Completion.Recipes.class,
      description = "Print this recipe with all its fields.")
  private String recipe;

  @Mixin private JsonOption json;

  /** The engine, and all parts with their defaults by kind and name. */
  record Installation(
      String version,
      String libtorch,
      String blas,
      int threads,
      String java,
      Map<String, String> kinds,
      Map<String, Map<String, JsonNode>> parts) {}

  /** A model's configuration, and the shapes of its parameters. */
  record ModelInfo(JsonNode config, long parameters, Map<String, String> tensors) {}

  @Override
  public Integer call() throws Exception {
    if (recipe != null && named != null) {
      throw new CommandException(
          "--recipe " + recipe + " and " + named + " are both given: expected one of them");
    }
    if (recipe != null) {
      System.out.print(Configs.toJson(Recipes.load(recipe, Map.of())));
    } else if (named == null) {
      installation();
    } else {
      explain(PartKind.all());
    }
    return 0;
  }

  private void explain(Map<String, PartKind> kinds) throws IOException {
    Path path = Path.of(named);
    boolean part = kinds.values().stream().anyMatch(kind -> kind.parts().containsKey(named));
    if (Files.exists(path.resolve(Models.CONFIG))
        || Pretrained.NAMES.contains(named)
        || (Files.exists(path) && !part && !kinds.containsKey(named))) {
      model(Pretrained.find(path));
    } else if (kinds.containsKey(named)) {
      PartKind kind = kinds.get(named);
      json.printer().print(kind.summaries(), summaries -> list(kind, summaries, false));
    } else {
      json.printer().print(PartDescription.find(kinds, named), p -> p.text(width()));
    }
  }

  private int width() {
    return spec.usageMessage().width();
  }

  /** A GGUF file is not loaded: its tensors may be larger than memory. */
  private void gguf(Path file) throws IOException {
    GgufSummary summary = GgufSummary.read(file);
    json.printer().print(summary, InfoCommand::text);
  }

  private static String text(GgufSummary file) {
    Map<String, String> rows = new LinkedHashMap<>();
    rows.put("architecture", file.architecture());
    rows.put("name", file.name());
    rows.put("parameters", String.format(Locale.ROOT, "%,d", file.parameters()));
    rows.put("tensors by type", file.types().toString().replaceAll("[{}]", ""));
    rows.put("bytes in the file", String.format(Locale.ROOT, "%,d", file.bytes()));
    rows.put(
        "bytes in memory",
        String.format(Locale.ROOT, "%,d: %s", file.bytesInMemory(), held(file.bits())));
    rows.put(
        "tokenizer",
        file.tokenizer().isEmpty()
            ? "none"
            : file.tokenizer() + String.format(Locale.ROOT, ", %,d tokens", file.tokens()));
    rows.put("chat template", file.chatTemplate() ? "yes" : "no");
    rows.put("can be loaded", file.unsupported().isEmpty() ? "yes" : "no: " + file.unsupported());
    StringBuilder text = new StringBuilder();
    rows.forEach((key, value) -> text.append(String.format(Locale.ROOT, "%-18s %s%n", key, value)));
    return text.toString();
  }

  /** How values of each type are held in memory. */
  private static String held(Map<String, Integer> bits) {
    return bits.entrySet().stream()
        .map(
            type ->
                type.getKey()
                    + (type.getValue() < Float.SIZE
                        ? " in " + type.getValue() + " bits"
                        : " in float32"))
        .collect(Collectors.joining(", "));
  }

  private void model(Path folder) throws IOException {
    if (GgufFile.isNamed(folder)) {
      gguf(folder);
      return;
    }
    try (Model model = Models.load(folder)) {
      Map<String, String> tensors = new LinkedHashMap<>();
      model.parameters().forEach((name, p) -> tensors.put(name, p.value().shape().toString()));
      ModelInfo info =
          new ModelInfo(Configs.write(model.config()), model.parameterCount(), tensors);
      json.printer().print(info, i -> text(model));
    }
  }

  private static String text(Model model) {
    StringBuilder text = new StringBuilder(model + "\n" + Configs.toJson(model.config()));
    model
        .parameters()
        .forEach(
            (name, p) ->
                text.append(
                    String.format(
                        Locale.ROOT,
                        "%-40s %-10s %s%n",
                        name,
                        p.value().dtype().name().toLowerCase(Locale.ROOT),
                        p.value().shape())));
    return text.toString();
  }

  private void installation() {
    Map<String, PartKind> kinds = PartKind.all();
    Map<String, String> descriptions = new TreeMap<>();
    Map<String, Map<String, JsonNode>> parts = new TreeMap<>();
    kinds.forEach(
        (name, kind) -> {
          descriptions.put(name, kind.description());
          Map<String, JsonNode> defaults = new TreeMap<>();
          kind.parts().forEach((part, config) -> defaults.put(part, Configs.write(config)));
          parts.put(name, defaults);
        });
    Installation installation =
        new Installation(
            Version.here(),
            Engine.version(),
            Engine.blas(),
            Engine.threads(),
            Runtime.version().toString(),
            descriptions,
            parts);
    json.printer().print(installation, i -> text(i, kinds));
  }

  private String text(Installation here, Map<String, PartKind> kinds) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "jformer %s, libtorch %s, %s, %d threads, Java %s%n",
            here.version(),
            here.libtorch(),
            here.blas(),
            here.threads(),
            here.java()));
    kinds.forEach((name, kind) -> text.append('\n').append(list(kind, kind.summaries(), true)));
    return text
        + "\n'jformer info PART' explains a part and its fields, 'jformer info KIND' its kind.\n";
  }

  /**
   * A kind and its parts.
   *
   * @param brief whether each part gets a line only
   */
  private String list(PartKind kind, Map<String, String> summaries, boolean brief) {
    Map<String, String> rows = new LinkedHashMap<>();
    int room = width() - HelpLayout.SECOND_COLUMN;
    summaries.forEach((part, text) -> rows.put(part, brief ? cut(text, room) : text));
    return Paragraphs.wrap(kind.name() + ": " + kind.description(), width())
        + HelpLayout.rows(rows, width());
  }

  /** As many words as there is room for. */
  private static String cut(String text, int room) {
    if (text.length() <= room) {
      return text;
    }
    int end = text.lastIndexOf(' ', room - ELLIPSIS.length());
    return text.substring(0, Math.max(0, end)).replaceAll("[,;:(]$", "") + ELLIPSIS;
  }
}
