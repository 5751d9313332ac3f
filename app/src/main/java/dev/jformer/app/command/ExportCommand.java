package dev.jformer.app.command;

import dev.jformer.compress.Fold;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.HuggingFace;
import dev.jformer.model.CausalLm;
import dev.jformer.run.OutputFolder;
import dev.jformer.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
        Writes a folder that Python's transformers loads as a GPT-2 or a Llama. Forms of weights
        that only serve training are folded into plain weights first.
        """,
    footer =
        """
        Examples:
          jformer export runs/play --out play-hf
          python -c "import transformers as t; t.AutoModelForCausalLM.from_pretrained('play-hf')"
        """)
final class ExportCommand implements Callable<Integer> {
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
      boolean text = Files.exists(folder.resolve(Tokenizer.FILE));
      try (CausalLm plain = Fold.fold(model)) {
        HuggingFace.save(plain, text ? Tokenizers.load(folder) : null, target.staging());
      }
      target.publish();
    }
    return 0;
  }
}
