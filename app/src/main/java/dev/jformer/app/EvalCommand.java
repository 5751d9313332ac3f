package dev.jformer.app;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer eval}. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = {
      "Measure how well a model does: how well a language model predicts text, or an encoder fills",
      "in what is masked; which share of images or labelled texts a classifier gets right."
    },
    footer = {
      "",
      "Examples:",
      "  jformer eval runs/play                  on the text held out when it was trained",
      "  jformer eval runs/play --data other.txt",
      "  jformer eval runs/images --data test.zip",
      "  jformer eval runs/classify --data dev.tsv"
    })
final class EvalCommand implements Callable<Integer> {
  @Parameters(paramLabel = "MODEL", description = "A model's folder.")
  private Path folder;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Text (default: what was held out in training); images or labelled texts for a classifier.")
  private Path data;

  @Option(names = "--ending", paramLabel = ".EXT", description = "Only files that end so.")
  private List<String> endings = List.of();

  @Option(names = "--batch", description = "Sequences at a time (default ${DEFAULT-VALUE}).")
  private int batch = 16;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(quiet, json);
    try (Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      model.train(false);
      System.out.println(new Evaluation(folder, data, endings, batch, json, console).of(model));
      return 0;
    }
  }
}
