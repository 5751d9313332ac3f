package dev.jformer.app.command;

import de.siegmar.fastcsv.writer.CsvWriter;
import de.siegmar.fastcsv.writer.LineDelimiter;
import dev.jformer.data.text.TextLines;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.io.AtomicFile;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer embed}. */
@Command(
    name = "embed",
    header = "Turn texts into vectors that can be compared",
    description =
        """
        Computes a vector of length 1 for each line of the text files and for each --text. The more
        similar two texts are, the larger the dot product of their vectors. What the files of a
        sentence-transformers model say about pooling, length, prompts and scaling is followed.
        """,
    footer =
        """
        Examples:
          jformer embed minilm --text 'A cat sits.' --text 'There is a cat.'
          jformer embed minilm sentences.txt --out sentences.csv
          jformer embed bge-small --text 'what is rope?' --prompt query
          jformer embed path/to/bert sentences.txt --out sentences.jsonl
          jformer embed path/to/bert --text 'A cat sits.' --pooling cls
        """)
final class EmbedCommand implements Callable<Integer> {
  /** Texts between two looks at the progress. */
  private static final int TOGETHER = 1024;

  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description =
          "minilm or bge-small, which come with the build; or the folder of a jformer encoder or a"
              + " Hugging Face encoder; or an .onnx file with tokenizer.json beside it.")
  private Path model;

  @Parameters(index = "1..*", paramLabel = "FILE", description = "Files with a text per line.")
  private List<Path> files = List.of();

  @Option(names = "--text", paramLabel = "TEXT", description = "A text to embed; may be repeated.")
  private List<String> texts = List.of();

  @Option(
      names = "--prompt",
      paramLabel = "NAME",
      description =
          "The prompt to put before each text, one of those in the model's"
              + " config_sentence_transformers.json, such as query (default: what the file says).")
  private String prompt;

  @Option(
      names = "--pooling",
      paramLabel = "NAME",
      description =
          "How the states of tokens become one vector: mean, cls, max, lasttoken,"
              + " mean_sqrt_len_tokens or weightedmean, or several with a plus between (default:"
              + " what the model's files say, or mean).")
  private String pooling;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description =
          "The file to write to: .csv with a text and its numbers in each row, or .jsonl with an"
              + " object per line (default: lines of JSON on standard output).")
  private Path out;

  @Mixin private BatchOption batch = new BatchOption(32);

  @Mixin private QuietOption progress;

  @Override
  public Integer call() throws Exception {
    if (files.isEmpty() && texts.isEmpty()) {
      throw new CommandException("there is nothing to embed: name files, or give --text");
    }
    String name = out == null ? ".jsonl" : out.getFileName().toString();
    if (!name.endsWith(".csv") && !name.endsWith(".jsonl")) {
      throw new CommandException(
          "--out is " + out + ": expected a file that ends in .csv or .jsonl");
    }
    OutputFile.check(out, files);
    List<String> all = new ArrayList<>(texts);
    for (Path file : files) {
      all.addAll(lines(file));
    }
    if (all.isEmpty()) {
      throw new CommandException("there is nothing to embed: " + files + " holds no text");
    }
    try (Scope scope = Scope.open();
        SentenceEncoder encoder = SentenceEncoder.load(Pretrained.find(model), batch.size())) {
      SentenceEncoder pooled = pooling == null ? encoder : encoder.withPooling(pooling);
      List<float[]> vectors = embed(pooled, all, progress.console());
      String made = name.endsWith(".csv") ? csv(all, vectors) : json(all, vectors);
      if (out == null) {
        new Printer(true).printAll(made);
      } else {
        AtomicFile.write(out, made.getBytes(StandardCharsets.UTF_8));
      }
    }
    return 0;
  }

  private static List<String> lines(Path file) {
    return TextLines.read(file).stream().filter(line -> !line.isBlank()).toList();
  }

  private List<float[]> embed(SentenceEncoder encoder, List<String> texts, Console console) {
    List<float[]> vectors = new ArrayList<>();
    try (Console.Bar bar = console.begin("embedding", texts.size(), "texts")) {
      for (int from = 0; from < texts.size(); from += TOGETHER) {
        List<String> some = texts.subList(from, Math.min(texts.size(), from + TOGETHER));
        vectors.addAll(List.of(encoder.embed(some, prompt)));
        bar.at(vectors.size(), "");
      }
    }
    return vectors;
  }

  /** A text and its vector. */
  record Embedded(String text, List<Float> embedding) {
    static Embedded of(String text, float[] vector) {
      List<Float> numbers = new ArrayList<>(vector.length);
      for (float value : vector) {
        numbers.add(value);
      }
      return new Embedded(text, numbers);
    }
  }

  private static String json(List<String> texts, List<float[]> vectors) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < texts.size(); i++) {
      lines.append(Printer.tree(Embedded.of(texts.get(i), vectors.get(i)))).append('\n');
    }
    return lines.toString();
  }

  private static String csv(List<String> texts, List<float[]> vectors) throws IOException {
    StringWriter lines = new StringWriter();
    try (CsvWriter csv = CsvWriter.builder().lineDelimiter(LineDelimiter.LF).build(lines)) {
      List<String> header = new ArrayList<>(List.of("text"));
      for (int i = 0; i < vectors.get(0).length; i++) {
        header.add(Integer.toString(i));
      }
      csv.writeRecord(header);
      for (int i = 0; i < texts.size(); i++) {
        List<String> row = new ArrayList<>(List.of(texts.get(i)));
        for (float value : vectors.get(i)) {
          row.add(Float.toString(value));
        }
        csv.writeRecord(row);
      }
    }
    return lines.toString();
  }
}
