package dev.jformer.app;

import dev.jformer.data.Corpus;
import dev.jformer.data.TokenFile;
import dev.jformer.data.Tokenizer;
import dev.jformer.data.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer eval}. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description =
        "Measure how well a language model predicts text: loss, perplexity, bits per byte.",
    footer = {
      "",
      "Examples:",
      "  jformer eval runs/play                  on the text held out when it was trained",
      "  jformer eval runs/play --data other.txt"
    })
final class EvalCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A model's folder.")
  private Path folder;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "Text (default: what was held out in training).")
  private Path data;

  @Option(names = "--ending", paramLabel = ".EXT", description = "Only files that end so.")
  private List<String> endings = List.of();

  @Option(names = "--batch", description = "Sequences at a time (default ${DEFAULT-VALUE}).")
  private int batch = 16;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Path scratch = data == null ? null : Files.createTempDirectory("jformer-eval");
    try (Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      if (!(model instanceof CausalLm languageModel)) {
        throw new Failure(folder + " holds a " + model.config().type() + ", no language model");
      }
      try (TokenFile tokens = tokens(scratch)) {
        evaluate(languageModel, tokens);
      }
      return 0;
    } finally {
      if (scratch != null) {
        try (var files = Files.list(scratch)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        Files.delete(scratch);
      }
    }
  }

  private TokenFile tokens(Path scratch) throws Exception {
    if (data == null) {
      Path held = folder.resolve("data");
      if (!Files.isDirectory(held)) {
        throw new Failure(folder + " holds no text from its training: give some with --data");
      }
      return TokenFile.open(held);
    }
    Tokenizer tokenizer = Tokenizers.load(folder);
    return TokenFile.prepare(scratch, Corpus.open(data, endings), tokenizer, 1, bytes -> {});
  }

  private void evaluate(CausalLm model, TokenFile tokens) {
    double loss;
    try (Mode mode = Autograd.inference()) {
      loss = LanguageModelling.evaluate(model, tokens, batch, Long.MAX_VALUE);
    }
    TokenFile.Header header = tokens.header();
    double perByte = loss * header.validationTokens() / header.validationBytes();
    System.out.printf(
        Locale.ROOT,
        json
            ? "{\"tokens\":%d,\"loss\":%.6f,\"perplexity\":%.4f,\"lossPerByte\":%.6f,\"bitsPerByte\":%.6f}%n"
            : "%,d tokens: loss %.4f nats per token (perplexity %.2f), %.4f nats or %.4f bits per byte%n",
        header.validationTokens(),
        loss,
        Math.exp(loss),
        perByte,
        perByte / Math.log(2));
  }
}
