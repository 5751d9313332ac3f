package dev.jformer.app.command;

import dev.jformer.data.image.Picture;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.tensor.Scope;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer predict}. */
@Command(
    name = "predict",
    header = "Classify images or texts",
    description =
        """
        Prints the most probable classes of each image file, of each line of a text file, or of
        each --text.
        """,
    footer =
        """
        Examples:
          jformer predict runs/images cat.jpg dog.png
          jformer predict runs/classify --text 'what a film'
          jformer predict runs/classify reviews.txt --json
        """)
final class PredictCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MODEL", description = "The folder of a classifier.")
  private Path folder;

  @Parameters(
      index = "1..*",
      paramLabel = "FILE",
      description = "Image files, or files with a text per line.")
  private List<Path> files = List.of();

  @Option(
      names = "--text",
      paramLabel = "TEXT",
      description = "A text to classify; may be repeated.")
  private List<String> texts = List.of();

  @Option(
      names = "--top",
      paramLabel = "N",
      description = "How many classes to print (default ${DEFAULT-VALUE}).")
  private int top = 3;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    if (top < 1) {
      throw new CommandException("--top is " + top + ": expected at least 1");
    }
    if (files.isEmpty() && texts.isEmpty()) {
      throw new CommandException("there is nothing to classify: name files, or give --text");
    }
    try (Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      if (model instanceof ImageClassifier images) {
        images(images);
      } else if (model instanceof Encoder encoder && encoder.config().labels() > 0) {
        texts(encoder);
      } else {
        throw new CommandException(
            folder + " holds a " + model.config().type() + ", no classifier");
      }
      return 0;
    }
  }

  private void images(ImageClassifier model) throws IOException {
    if (!texts.isEmpty()) {
      throw new CommandException(folder + " holds a classifier of images: it takes no --text");
    }
    Classes classes = Classes.load(folder, model.config().classes());
    for (Path file : files) {
      byte[] pixels =
          Picture.decode(file.toString(), Files.readAllBytes(file), model.config().size());
      print(file.toString(), classes, ImageClassification.probabilities(model, pixels));
    }
  }

  private void texts(Encoder model) throws IOException {
    Classes classes = Classes.load(folder, model.config().labels());
    Tokenizer tokenizer = Tokenizers.load(folder);
    List<String> all = new ArrayList<>(texts);
    for (Path file : files) {
      Files.readAllLines(file).stream().filter(line -> !line.isBlank()).forEach(all::add);
    }
    for (String text : all) {
      int[] ids = tokenizer.encodeWhole(text, model.config().length());
      if (ids.length == 0) {
        throw new CommandException("there is nothing to classify in an empty text");
      }
      print(text, classes, TextClassification.probabilities(model, ids));
    }
  }

  /** An input and the probabilities of the classes. */
  record Classified(String input, Map<String, Double> probabilities) {}

  private void print(String what, Classes classes, double[] probabilities) {
    Map<String, Double> each = new LinkedHashMap<>();
    for (int i = 0; i < probabilities.length; i++) {
      each.put(classes.classes().get(i), probabilities[i]);
    }
    json.printer().printLine(new Classified(what, each), this::text);
  }

  private String text(Classified classified) {
    return classified.input()
        + ": "
        + classified.probabilities().entrySet().stream()
            .sorted(Comparator.comparingDouble(entry -> -entry.getValue()))
            .limit(top)
            .map(e -> String.format(Locale.ROOT, "%s %.1f %%", e.getKey(), 100 * e.getValue()))
            .collect(Collectors.joining(", "));
  }
}
