package dev.jformer.app.command;

import dev.jformer.data.text.TextLines;
import dev.jformer.decode.TextTranslator;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
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
          jformer translate runs/denoising --passes 4 --lengths 5 < texts.txt
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
      throw new CommandException(
          "--in " + in + " and texts are both given: expected one or the other");
    }
    OutputFile.check(out, in == null ? List.of() : List.of(in));
    try (Scope scope = Scope.open();
        Model model = ModelFolder.load(folder, Model.class, "translator")) {
      TextTranslator translator = search.translator(folder, model, batch.size());
      List<String> all = input();
      try (Console.Bar bar = progress.console().begin("translating", all.size(), "texts")) {
        print(all, translator.translate(all, done -> bar.at(done, "")));
      }
    }
    return 0;
  }

  private List<String> input() throws IOException {
    if (in != null) {
      return TextLines.read(in);
    }
    return texts.isEmpty() ? TextLines.read("standard input", System.in) : texts;
  }

  /** A text and its translation. */
  record Translated(String text, String translation) {}

  private void print(List<String> texts, List<String> translations) throws IOException {
    Printer printer = json.printer();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < texts.size(); i++) {
      Translated translated = new Translated(texts.get(i), translations.get(i));
      lines.append(printer.line(translated, Translated::translation)).append('\n');
    }
    if (out == null) {
      printer.printAll(lines.toString());
    } else {
      AtomicFile.write(out, lines.toString().getBytes(StandardCharsets.UTF_8));
    }
  }
}
