package dev.jformer.app.command;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.jformer.adapt.Adapters;
import dev.jformer.compress.Fold;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.ChatTemplate;
import dev.jformer.hub.Gguf;
import dev.jformer.hub.HuggingFace;
import dev.jformer.hub.PeftFolder;
import dev.jformer.hub.SideFiles;
import dev.jformer.hub.StopTokens;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.run.ClassNames;
import dev.jformer.run.OutputFolder;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer export}. */
@Command(
    name = "export",
    header = "Save a model for transformers, or as GGUF",
    description =
        """
        Writes a folder that Python's transformers loads, in the first family that can express the
        model, and prints the lines of Python that do so. Language models, encoders, and classifiers
        of texts, words and images can be saved. If a language model's output is named .gguf, writes a file for programs built on
        llama.cpp instead. Forms of weights that only serve training are folded into plain weights
        first.
        """,
    footer =
        """
        Examples:
          jformer export runs/play --out play-hf
          jformer export runs/play --out play.gguf --type Q8_0
          jformer export runs/adapter --merge --out merged
              Adds an adapter's updates to the weights of its model.
        """)
final class ExportCommand implements Callable<Integer> {
  private static final List<GgufType> TYPES = List.of(GgufType.F32, GgufType.F16, GgufType.Q8_0);
  private static final String PIPELINE =
      """
      from transformers import pipeline
      generate = pipeline("text-generation", model=%s)
      print(generate("Once", max_new_tokens=50, do_sample=False)[0]["generated_text"])
      """;
  private static final String OTHERS =
      """
      from transformers import pipeline
      use = pipeline(%s, model=%s)
      print(use(%s))
      """;
  private static final String MODEL =
      """
      from transformers import AutoModelForCausalLM
      model = AutoModelForCausalLM.from_pretrained(%s)
      print(model)
      """;

  @Parameters(paramLabel = "MODEL", description = "The folder of a model, or a GGUF file.")
  private Path folder;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FOLDER|FILE.gguf",
      description = "The folder or the GGUF file to write to.")
  private Path out;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description =
          "The type of matrices in a GGUF file: F32, F16 or Q8_0 (default ${DEFAULT-VALUE}).")
  private String type = GgufType.F16.name();

  @Option(
      names = "--merge",
      description = "MODEL is an adapter: add it to the weights of its model, and write that.")
  private boolean merge;

  @Mixin private OverwriteOption overwrite;

  @Override
  public Integer call() throws Exception {
    checkMerge();
    if (GgufFile.isNamed(out)) {
      writeGguf();
    } else {
      writeFolder();
    }
    return 0;
  }

  private void checkMerge() throws IOException {
    boolean adapter = PeftFolder.exists(folder);
    if (adapter && !merge) {
      throw new CommandException(
          folder
              + " holds an adapter, in the format of Python's peft: give --merge to write the whole"
              + " model");
    }
    if (merge && !adapter) {
      throw new CommandException(
          "--merge is for adapters, but " + folder + " holds a whole model: leave it out");
    }
  }

  private void writeFolder() throws IOException {
    try (OutputFolder target =
            OutputFolder.open(out, overwrite.isSet(), List.of(folder)).deletedAtEnd();
        Scope scope = Scope.open();
        Model plain = plain(Model.class, "model")) {
      boolean text = Tokenizers.exists(folder);
      Tokenizer tokenizer = text ? Tokenizers.load(folder) : null;
      List<String> labels =
          ClassNames.exists(folder) ? ClassNames.load(folder).classes() : List.of();
      String pipeline =
          HuggingFace.export(plain, tokenizer, ends(tokenizer), labels, target.staging());
      SideFiles.copyChatTemplate(folder, target.staging());
      target.publish();
      System.out.print(lines(pipeline, text));
    }
  }

  /** Lines of Python that use the exported model. */
  private String lines(String pipeline, boolean text) {
    if (pipeline.equals("text-generation")) {
      return (text ? PIPELINE : MODEL).formatted(quoted(out));
    }
    String input = pipeline.startsWith("image") ? "cat.jpg" : "Ada Lovelace was born in London.";
    return OTHERS.formatted(quoted(Path.of(pipeline)), quoted(out), quoted(Path.of(input)));
  }

  private void writeGguf() throws IOException {
    GgufType wanted = type();
    OutputFile.check(out, List.of(folder));
    if (Files.exists(out) && !overwrite.isSet()) {
      throw new CommandException(out + " exists: choose another file, or give --overwrite");
    }
    try (Scope scope = Scope.open();
        CausalLm plain = plain(CausalLm.class, "language model")) {
      Tokenizer tokenizer = Tokenizers.exists(folder) ? Tokenizers.load(folder) : null;
      ChatTemplate chat = ChatTemplate.of(folder).orElse(null);
      Gguf.save(plain, tokenizer, ends(tokenizer), wanted, chat, out);
    }
  }

  private GgufType type() {
    return TYPES.stream()
        .filter(known -> known.name().equalsIgnoreCase(type))
        .findFirst()
        .orElseThrow(
            () -> new CommandException("--type is " + type + ": expected one of F32, F16, Q8_0"));
  }

  /** The model in plain weights. */
  private <M extends Model> M plain(Class<M> family, String words) throws IOException {
    try (M model = ModelFolder.load(folder, family, words)) {
      if (!Adapters.names(model).isEmpty()) {
        Adapters.merge(model, Adapters.DEFAULT); // says why that cannot be done
      }
      return Fold.fold(model);
    }
  }

  private Set<Integer> ends(Tokenizer tokenizer) throws IOException {
    return tokenizer == null ? Set.of() : StopTokens.of(folder, tokenizer);
  }

  /** A path as a string of Python, whose quotes and escapes are those of JSON. */
  private static String quoted(Path path) {
    return TextNode.valueOf(path.toString()).toString();
  }
}
