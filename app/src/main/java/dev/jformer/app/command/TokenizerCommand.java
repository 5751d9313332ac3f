package dev.jformer.app.command;

import dev.jformer.config.Nearest;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.TokenizerTrainer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.run.OutputFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer tokenizer}. */
@Command(
    name = "tokenizer",
    header = "Learn a vocabulary, or encode and decode text",
    synopsisSubcommandLabel = "(train|encode|decode)",
    footer =
        """
        Examples:
          jformer tokenizer train --data src --ending .java --vocabulary 8192 --out vocab
          jformer tokenizer encode vocab 'int i = 0;'
          jformer tokenizer decode vocab 312 77 1045
        """)
final class TokenizerCommand implements Runnable {
  @picocli.CommandLine.Spec private picocli.CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }

  @Command(
      name = "train",
      mixinStandardHelpOptions = true,
      header = "Learn a byte-level vocabulary")
  int train(
      @Option(
              names = "--data",
              required = true,
              paramLabel = "PATH",
              description = "The text: a file, folder, zip or jar.")
          Path data,
      @Option(
              names = "--ending",
              paramLabel = ".EXT",
              description = "Only files whose names end with this; may be repeated.")
          List<String> endings,
      @Option(
              names = "--method",
              defaultValue = "bpe",
              paramLabel = "NAME",
              completionCandidates = Completion.TokenizerMethods.class,
              description =
                  "How to learn it: bpe, wordpiece, unigram, likelihood or lzw"
                      + " (default ${DEFAULT-VALUE}).")
          String method,
      @Option(
              names = "--vocabulary",
              defaultValue = "4096",
              paramLabel = "N",
              description = "Size of the vocabulary in tokens (default ${DEFAULT-VALUE}).")
          int vocabulary,
      @Option(
              names = "--out",
              required = true,
              paramLabel = "FOLDER",
              description = "The folder to write tokenizer.json to.")
          Path out,
      @Mixin OverwriteOption overwrite)
      throws IOException {
    TokenizerTrainer trainer =
        TokenizerMethod.of(method)
            .orElseThrow(
                () ->
                    new CommandException(
                        "--method is '"
                            + method
                            + "': expected one of "
                            + String.join(", ", TokenizerMethod.labels())
                            + Nearest.hint(method, TokenizerMethod.labels())))
            .trainer();
    Console console = new Console(false);
    Corpus corpus = Corpus.open(data, endings == null ? List.of() : endings);
    Tokenizer tokenizer;
    try (OutputFolder target =
        OutputFolder.open(out, overwrite.isSet(), List.of(data)).deletedAtEnd()) {
      tokenizer = learn(trainer, corpus, vocabulary, console);
      tokenizer.save(target.staging());
      target.publish();
    }
    console.say("%,d tokens in %s", tokenizer.vocabularySize(), out.resolve(Tokenizer.FILE));
    return 0;
  }

  @Command(
      name = "encode",
      mixinStandardHelpOptions = true,
      header = "Print the token ids of a text or of standard input")
  int encode(
      @Parameters(paramLabel = "TOKENIZER", description = "A tokenizer.json or its folder.")
          Path path,
      @Parameters(
              arity = "0..1",
              paramLabel = "TEXT",
              description = "The text (default: standard input).")
          String text)
      throws IOException {
    Tokenizer tokenizer = Tokenizers.load(path);
    String input =
        text != null ? text : new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
    System.out.println(
        Arrays.stream(tokenizer.encode(input))
            .mapToObj(Integer::toString)
            .collect(Collectors.joining(" ")));
    return 0;
  }

  @Command(name = "decode", mixinStandardHelpOptions = true, header = "Print the text of token ids")
  int decode(
      @Parameters(paramLabel = "TOKENIZER", description = "A tokenizer.json or its folder.")
          Path path,
      @Parameters(arity = "1..*", paramLabel = "ID", description = "Token ids.") int[] ids) {
    System.out.println(Tokenizers.load(path).decode(ids));
    return 0;
  }

  /** Learns a vocabulary, showing progress. */
  private static Tokenizer learn(
      TokenizerTrainer trainer, Corpus corpus, int vocabulary, Console console) throws IOException {
    long[] characters = new long[1];
    try (Console.Bar bar = console.begin("reading", corpus.bytes(), "bytes")) {
      corpus.read(
          text -> {
            trainer.piece(text);
            characters[0] += text.length();
            bar.at(characters[0], "");
          });
    }
    try (Console.Bar bar = console.begin("learning tokens", vocabulary, "tokens")) {
      return trainer.train(vocabulary, count -> bar.at(count, String.format(Locale.ROOT, "")));
    }
  }
}
