package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.text.TextLines;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.Translator;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer translate}. */
@Command(
    name = "translate",
    header = "Translate texts",
    description =
        """
        Translates the given texts, the lines of a file, or the lines of standard input, and prints
        one translation per line.
        """,
    footer =
        """
        Examples:
          jformer translate runs/translate 'A man is riding a bicycle.'
          jformer translate runs/translate --in test.en.gz --out test.de
          jformer translate runs/translate --beam 1 < texts.txt
        """)
final class TranslateCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "The folder of a translator.")
  private Path folder;

  @Parameters(
      index = "1..*",
      paramLabel = "TEXT",
      description = "Texts to translate (default: --in, or the lines of standard input).")
  private List<String> texts = List.of();

  @Option(
      names = "--in",
      paramLabel = "FILE",
      description = "A file with a text per line; may be compressed with gzip.")
  private Path in;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The file to write the translations to (default: standard output).")
  private Path out;

  @Mixin private SearchOptions search;
  @Mixin private BatchOption batch = new BatchOption(32);

  @Mixin private JsonOption json;

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    if (in != null && !texts.isEmpty()) {
      throw new CommandException("--in " + in + " and texts are given: expected one or the other");
    }
    BeamSearch.Settings settings = search.settings();
    List<String> all = input();
    Console console = new Console(progress.isSet(), json.isSet());
    try (Scope scope = Scope.open();
        EncoderDecoder model = load(folder);
        Console.Bar bar = console.bar("translating", all.size(), "texts")) {
      Tokenizer tokenizer = Tokenizers.load(folder);
      List<String> translations =
          new Translator(model, tokenizer, settings, batch.size())
              .translate(all, done -> bar.at(done, ""));
      StringBuilder lines = new StringBuilder();
      for (int i = 0; i < all.size(); i++) {
        lines.append(
            json.isSet() ? object(all.get(i), translations.get(i)) : line(translations.get(i)));
        lines.append('\n');
      }
      print(lines.toString());
    }
    return 0;
  }

  /** A model that translates, ready to. */
  static EncoderDecoder load(Path folder) throws IOException {
    Model model = Models.load(folder);
    if (!(model instanceof EncoderDecoder translator)) {
      String type = model.config().type();
      model.close();
      throw new CommandException(folder + " holds a " + type + ", which translates nothing");
    }
    translator.train(false);
    return translator;
  }

  private List<String> input() throws IOException {
    if (in != null) {
      return TextLines.read(in);
    }
    return texts.isEmpty()
        ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()
        : texts;
  }

  /** A translation never has more lines than one, or the lines would not match. */
  private static String line(String translation) {
    return translation.replaceAll("\\R", " ");
  }

  private static String object(String text, String translation) {
    return new JsonMapper()
        .createObjectNode()
        .put("text", text)
        .put("translation", translation)
        .toString();
  }

  private void print(String lines) throws IOException {
    if (out != null) {
      AtomicFile.write(out, lines.getBytes(StandardCharsets.UTF_8));
      return;
    }
    PrintStream stream = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    stream.print(lines);
    stream.flush();
  }
}
