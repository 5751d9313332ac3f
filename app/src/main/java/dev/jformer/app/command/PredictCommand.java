package dev.jformer.app.command;

import dev.jformer.run.InputPrediction;
import dev.jformer.run.TrainedModel;
import dev.jformer.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer predict}. */
@Command(
    name = "predict",
    header = "Classify images or texts, or find names in texts",
    description =
        """
        Prints the most probable classes of each image file, of each line of a text file, or of
        each --text. A classifier of tokens prints the named entities of each text.
        """,
    footer =
        """
        Examples:
          jformer predict runs/images cat.jpg dog.png
          jformer predict runs/classify --text 'what a film'
          jformer predict runs/classify reviews.txt --json
          jformer predict runs/fine-tune-tokens --text 'Ada Lovelace was born in London.'
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
        TrainedModel model = TrainedModel.load(folder)) {
      model.predict(texts, files).forEach(this::print);
      return 0;
    }
  }

  private void print(InputPrediction prediction) {
    json.printer()
        .printLine(
            prediction.fields(), fields -> prediction.input() + ": " + prediction.describe(top));
  }
}
