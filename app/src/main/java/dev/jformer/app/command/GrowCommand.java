package dev.jformer.app.command;

import dev.jformer.compress.Growth;
import dev.jformer.compress.LinearExpansion;
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
    header = "Enlarge a TokenFormer or a learngene",
    description =
        """
        Adds parameter tokens to a trained model so that it computes the same as before
        (TokenFormer, arXiv 2410.23168). Its projections and channel mixers must be of kinds that
        can grow. Or gives a model that was trained with the optimizer 'learngene' another number
        of blocks (TLEG, arXiv 2312.05614). Train the new model further with 'jformer train
        --from'.
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
          jformer train --task images --data photos.zip --out runs/gene \\
              --teacher runs/photos --set objective.share=1 \\
              --set training.optimizer=learngene
          jformer grow runs/gene --depth 8 --out runs/eight
        """)
final class GrowCommand implements Callable<Integer> {
  @Parameters(paramLabel = "RUN", description = "The folder of a trained model.")
  private Path folder;

  @Option(
      names = "--to",
      paramLabel = "Nx",
      description = "The factor for the number of parameter tokens, for example 2x.")
  private String to;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description = "The number of blocks that a learngene is expanded to.")
  private Integer depth;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description =
          "The folder to write to (default: the folder of the run with the factor or the depth"
              + " added).")
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
    if ((to == null) == (depth == null)) {
      throw new CommandException("expected either --to, a factor, or --depth, a number of blocks");
    }
    String added = to == null ? "depth-" + depth : factor() + "x";
    Path place = out == null ? Path.of(folder + "-" + added) : out;
    try (OutputFolder target =
            OutputFolder.open(place, overwrite.isSet(), List.of(folder)).deletedAtEnd();
        Scope scope = Scope.open();
        Model model = Models.load(folder)) {
      Random.seed(seed);
      try (Model grown =
          to == null ? LinearExpansion.expand(model, depth) : Growth.grow(model, factor())) {
        DerivedModelFolder.write(grown, folder, target.staging());
        target.publish();
        json.printer()
            .print(new Grown(model.parameterCount(), grown.parameterCount(), place.toString()));
      }
    }
    return 0;
  }

  private int factor() {
    if (!to.matches("[1-9][0-9]{0,3}x?")) {
      throw new CommandException("--to is " + to + ": expected a whole factor, such as 2x");
    }
    return Integer.parseInt(to.replace("x", ""));
  }
}
