package dev.jformer.app.command;

import dev.jformer.compress.Growth;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.run.DerivedModelFolder;
import dev.jformer.run.OutputFolder;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer grow}. */
@Command(
    name = "grow",
    header = "Enlarge a TokenFormer without changing its output",
    description =
        """
        Adds parameter tokens to a trained model so that it computes the same as before
        (TokenFormer, arXiv 2410.23168). Its projections and channel mixers must be of kinds that
        can grow. Train the larger model further with 'jformer train --from'.
        """,
    footer =
        """
        Examples:
          jformer train --recipe shakespeare --data input.txt --out runs/small \\
              --set model.projection.type=tokenformer \\
              --set model.ffn.type=pattention
          jformer grow runs/small --to 2x --out runs/larger
          jformer train --recipe runs/larger/recipe.json --from runs/larger \\
              --data input.txt --out runs/larger-trained
        """)
final class GrowCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "The folder of a trained model.")
  private Path folder;

  @Option(
      names = "--to",
      required = true,
      paramLabel = "Nx",
      description = "The factor for the number of parameter tokens, for example 2x.")
  private String to;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description =
          "The folder to write to (default: the folder of the run with the factor added).")
  private Path out;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of the new values (default ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Mixin private OverwriteOption overwrite;

  @Mixin private JsonOption json;

  /** Numbers of weights, and the folder of the larger model. */
  record Grown(long parametersBefore, long parametersAfter, String folder) {}

  @Override
  public Integer call() throws Exception {
    if (!to.matches("[1-9][0-9]{0,3}x?")) {
      throw new CommandException("--to is " + to + ": expected a whole factor, such as 2x");
    }
    int times = Integer.parseInt(to.replace("x", ""));
    Path place = out == null ? Path.of(folder + "-" + times + "x") : out;
    try (OutputFolder target =
            OutputFolder.open(place, overwrite.isSet(), List.of(folder)).deletedAtEnd();
        Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      Random.seed(seed);
      try (Model grown = Growth.grow(model, times)) {
        DerivedModelFolder.write(grown, folder, target.staging());
        target.publish();
        json.printer()
            .print(new Grown(model.parameterCount(), grown.parameterCount(), place.toString()));
      }
    }
    return 0;
  }
}
