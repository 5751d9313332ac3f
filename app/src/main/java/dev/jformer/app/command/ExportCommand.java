package dev.jformer.app.command;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.jformer.adapt.Adapters;
import dev.jformer.compress.Fold;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Gguf;
import dev.jformer.hub.HuggingFace;
import dev.jformer.hub.PeftFolder;
import dev.jformer.hub.SideFiles;
import dev.jformer.hub.StopTokens;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.model.CausalLm;
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
    header = "Save a language model for transformers, or as GGUF",
    description =
        """
        Writes a folder that Python's transformers loads as a GPT-2 or a Llama, and prints the lines
        of Python that do so. If the output is named .gguf, writes a file for programs built on
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
  private static final String MODEL =
      """
      from transformers import AutoModelForCausalLM
      model = AutoModelForCausalLM.from_pretrained(%s)
      print(model)
      """;

  @Parameters(paramLabel = "MODEL", description = "The folder of a language model, or a GGUF file.")
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
        CausalLm plain = plain()) {
      boolean text = Tokenizers.exists(folder);
      Tokenizer tokenizer = text ? Tokenizers.load(folder) : null;
      HuggingFace.save(plain, tokenizer, ends(tokenizer), target.staging());
      SideFiles.copyChatTemplate(folder, target.staging());
      target.publish();
      System.out.print(text ? PIPELINE.formatted(quoted(out)) : MODEL.formatted(quoted(out)));
    }
  }

  private void writeGguf() throws IOException {
    GgufType wanted = type();
    OutputFile.check(out, List.of(folder));
    if (Files.exists(out) && !overwrite.isSet()) {
      throw new CommandException(out + " exists: choose another file, or give --overwrite");
    }
    try (Scope scope = Scope.open();
        CausalLm plain = plain()) {
      Tokenizer tokenizer = Tokenizers.exists(folder) ? Tokenizers.load(folder) : null;
      Gguf.save(plain, tokenizer, ends(tokenizer), wanted, out);
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
  private CausalLm plain() throws IOException {
    try (CausalLm model = ModelFolder.load(folder, CausalLm.class, "language model")) {
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
