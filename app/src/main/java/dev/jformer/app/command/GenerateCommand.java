package dev.jformer.app.command;

import dev.jformer.compress.experts.Extract;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.JacobiDecoding;
import dev.jformer.decode.Sampling;
import dev.jformer.decode.Speculation;
import dev.jformer.hub.StopTokens;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer generate}. */
@Command(
    name = "generate",
    header = "Continue a text with a language model",
    footer =
        """
        Examples:
          jformer generate runs/java --prompt 'public int size('
          jformer generate runs/play --prompt 'ROMEO:' --tokens 500 --seed 3
          jformer generate gpt2 --prompt 'Once' --prompt 'Twice' --greedy --json
          jformer generate runs/nested --prompt 'ROMEO:' --draft self

        MODEL is the folder of a training run, or a Hugging Face folder of GPT-2 or Llama, or a
        GGUF file.
        """)
final class GenerateCommand implements Callable<Integer> {
  private static final String LANGUAGE_MODEL = "language model";

  @Parameters(paramLabel = "MODEL", description = "The folder of a language model, or a GGUF file.")
  private Path folder;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "A text to continue; may be repeated.")
  private List<String> prompts = List.of();

  @Option(
      names = {"-n", "--tokens"},
      paramLabel = "N",
      description = "The most tokens to generate (default ${DEFAULT-VALUE}).")
  private int tokens = 200;

  @Option(names = "--greedy", description = "Always take the most probable token.")
  private boolean greedy;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description =
          "The temperature of sampling; lower is more predictable (default ${DEFAULT-VALUE}).")
  private double temperature = 0.8;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description =
          "Choose among the K most probable tokens; 0 for all (default ${DEFAULT-VALUE}).")
  private int topK = 50;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description =
          "Choose among the most probable tokens with this total probability (default"
              + " ${DEFAULT-VALUE}).")
  private double topP = 0.95;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description =
          "Choose among tokens with at least P times the probability of the most probable one"
              + " (default ${DEFAULT-VALUE}).")
  private double minP = 0;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "R",
      description = "Values above 1 make repeated tokens less probable (default ${DEFAULT-VALUE}).")
  private double repetitionPenalty = 1;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Stop before this text; may be repeated.")
  private List<String> stops = List.of();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of sampling (default ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Option(
      names = "--no-cache",
      description = "Read the whole text again for each token, without a cache of keys and values.")
  private boolean noCache;

  @Option(
      names = "--draft",
      paramLabel = "MODEL",
      description =
          "Speculative decoding: a smaller model that proposes tokens, which MODEL then checks"
              + " together. The text is the same, but it is ready sooner. 'self' takes the smallest"
              + " part of a nested model.")
  private String draft;

  @Option(
      names = "--ahead",
      paramLabel = "N",
      description = "How many tokens the draft proposes at a time (default ${DEFAULT-VALUE}).")
  private int ahead = 4;

  @Option(
      names = "--jacobi",
      paramLabel = "N",
      description =
          "Speculative Jacobi decoding: the model guesses N tokens itself and checks them in the"
              + " same pass. The text is the same; it is ready sooner if tokens are easy to guess.")
  private int jacobi;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    try (Interruption interruption = new Interruption()) {
      Tokenizer tokenizer = Tokenizers.load(folder);
      try (Scope scope = Scope.open();
          CausalLm model = ModelFolder.load(folder, CausalLm.class, LANGUAGE_MODEL)) {
        if (tokenizer.vocabularySize() > model.config().vocab()) {
          throw new CommandException(
              "the tokenizer in "
                  + folder
                  + " has "
                  + tokenizer.vocabularySize()
                  + " tokens, but the vocabulary of the model has "
                  + model.config().vocab());
        }
        if (draft == null && jacobi == 0) {
          return generate(new Generator(model), interruption, tokenizer);
        }
        if (noCache) {
          throw new CommandException(
              (draft == null ? "--jacobi" : "--draft") + " needs the cache: leave out --no-cache");
        }
        if (draft == null) {
          Generator generator = new Generator(model, new JacobiDecoding.Settings(jacobi));
          return generate(generator, interruption, tokenizer);
        }
        if (jacobi != 0) {
          throw new CommandException("--draft and --jacobi are both given: expected one of them");
        }
        try (CausalLm small = draft(model)) {
          return generate(new Generator(model, small, ahead), interruption, tokenizer);
        }
      }
    }
  }

  private CausalLm draft(CausalLm model) throws IOException {
    return draft.equals("self")
        ? ModelFolder.check(
            folder, new Extract(0).apply(model, null), CausalLm.class, LANGUAGE_MODEL)
        : ModelFolder.load(Path.of(draft), CausalLm.class, LANGUAGE_MODEL);
  }

  private int generate(Generator generator, Interruption interruption, Tokenizer tokenizer)
      throws IOException {
    interruption.then(generator::stop);
    return generate(generator, tokenizer);
  }

  /** Generates and prints; the exit code of the program. */
  private int generate(Generator generator, Tokenizer tokenizer) throws IOException {
    Set<Integer> stopIds = StopTokens.of(folder, tokenizer);
    Sampling sampling =
        new Sampling(greedy ? 0 : temperature, topK, topP, minP, repetitionPenalty, seed);
    Generator.Request request = new Generator.Request(tokens, sampling, stopIds, stops, !noCache);
    List<String> texts = prompts.isEmpty() ? List.of("\n") : prompts;
    List<int[]> ids = texts.stream().map(tokenizer::encodePrompt).toList();
    // Several texts cannot share a terminal.
    boolean streaming = !json.isSet() && texts.size() == 1;
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Generator.Watcher watcher = null;
    if (streaming) {
      out.print(texts.get(0));
      out.flush();
      watcher =
          (sequence, piece) -> {
            out.print(piece);
            out.flush();
          };
    }
    long start = System.nanoTime();
    List<Generator.Continuation> results =
        generator.generate(ids, request, tokenizer::decode, watcher);
    double seconds = (System.nanoTime() - start) / 1e9;
    if (streaming) {
      out.println();
    } else {
      json.printer().print(generated(texts, results), GenerateCommand::text);
    }
    boolean interrupted =
        results.stream().anyMatch(result -> result.ending() == Generator.Ending.INTERRUPTED);
    if (!json.isSet() || interrupted) {
      int count = results.stream().mapToInt(result -> result.ids().size()).sum();
      System.err.printf(
          Locale.ROOT,
          "%n%s%d tokens in %.1f s, %.0f tokens/s%n",
          interrupted ? "stopped after " : "",
          count,
          seconds,
          count / seconds);
      Speculation.Tally tally = generator.tally();
      if (tally != null && tally.guessed() > 0) {
        System.err.printf(
            Locale.ROOT,
            "%.0f %% of the guesses were kept, %.2f tokens a reading%n",
            100 * tally.share(),
            (double) count / tally.rounds());
      }
    }
    return interrupted ? Interruption.EXIT_CODE : 0;
  }

  private static String text(List<Generated> all) {
    return all.stream().map(g -> g.prompt() + g.text() + "\n").collect(Collectors.joining("\n"));
  }

  /** A prompt and its continuation. */
  record Generated(String prompt, String text, String ending, List<Integer> ids) {}

  private static List<Generated> generated(
      List<String> texts, List<Generator.Continuation> results) {
    List<Generated> generated = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      Generator.Continuation result = results.get(i);
      generated.add(
          new Generated(texts.get(i), result.text(), Printer.name(result.ending()), result.ids()));
    }
    return generated;
  }
}
