package dev.jformer.app.command;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.jformer.compress.Fold;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.HuggingFace;
import dev.jformer.hub.StopTokens;
import dev.jformer.model.CausalLm;
import dev.jformer.run.OutputFolder;
import dev.jformer.tensor.Scope;
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
    header = "Save a language model for Hugging Face transformers",
    description =
        """
        Writes a folder that Python's transformers loads as a GPT-2 or a Llama, and prints the lines
        of Python that do so. Forms of weights that only serve training are folded into plain
        weights first.
        """,
    footer =
        """
        Examples:
          jformer export runs/play --out play-hf
        """)
final class ExportCommand implements Callable<Integer> {
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

  @Parameters(paramLabel = "MODEL", description = "The folder of a language model.")
  private Path folder;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FOLDER",
      description = "The folder to write to.")
  private Path out;

  @Mixin private OverwriteOption overwrite;

  @Override
  public Integer call() throws Exception {
    try (OutputFolder target = OutputFolder.open(out, overwrite.isSet(), List.of(folder));
        Scope scope = Scope.open();
        CausalLm model = ModelFolder.load(folder, CausalLm.class, "language model")) {
      boolean text = Tokenizers.exists(folder);
      try (CausalLm plain = Fold.fold(model)) {
        Tokenizer tokenizer = text ? Tokenizers.load(folder) : null;
        Set<Integer> ends = text ? StopTokens.of(folder, tokenizer) : Set.of();
        HuggingFace.save(plain, tokenizer, ends, target.staging());
      }
      target.publish();
      System.out.print(text ? PIPELINE.formatted(quoted(out)) : MODEL.formatted(quoted(out)));
    }
    return 0;
  }

  /** A path as a string of Python, whose quotes and escapes are those of JSON. */
  private static String quoted(Path path) {
    return TextNode.valueOf(path.toString()).toString();
  }
}
