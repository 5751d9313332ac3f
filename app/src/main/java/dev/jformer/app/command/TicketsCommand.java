package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.prune.LotteryTicket;
import dev.jformer.compress.prune.Masks;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FolderLock;
import dev.jformer.model.Model;
import dev.jformer.run.DerivedModelFolder;
import dev.jformer.run.OutputFolder;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer tickets}. */
@Command(
    name = "tickets",
    header = "Find lottery tickets by pruning and retraining",
    description =
        """
        Finds lottery tickets in a training run (The Lottery Ticket Hypothesis, arXiv 1803.03635):
        prunes the smallest weights of the trained model, resets the others to their values at the
        start of the run, trains them as the run was trained, and repeats this. Each round is a run
        of its own with a sparse model. If it is interrupted, the same command continues it.
        """,
    footer =
        """
        Examples:
          jformer train --recipe shakespeare --data input.txt --out runs/play
          jformer tickets runs/play --rounds 5 --rate 0.2
          jformer generate runs/play-tickets/round-5 --prompt 'ROMEO:'
        """)
final class TicketsCommand implements Callable<Integer> {
  private static final String LEDGER = "tickets.json";

  @Parameters(paramLabel = "RUN", description = "The folder of a finished training run.")
  private Path run;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "How often weights are pruned (default ${DEFAULT-VALUE}).")
  private int rounds = 3;

  @Option(
      names = "--rate",
      paramLabel = "SHARE",
      description =
          "The share of the remaining weights that each round prunes (default ${DEFAULT-VALUE}).")
  private double rate = 0.2;

  @Option(
      names = "--reach",
      paramLabel = "WHERE",
      description =
          "Whether the smallest weights are those of the whole model or of each layer: global or"
              + " layer (default global).")
  private Masks.Reach reach = Masks.Reach.GLOBAL;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description =
          "The folder of the rounds (default: the folder of the run with -tickets added).")
  private Path out;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  /**
   * A round that has ended.
   *
   * @param density share of the weights that there are
   * @param loss the best on held-out data
   */
  record Round(
      int round,
      @Unit(Unit.SHARE) double density,
      @Unit("validation") double loss,
      String folder) {}

  /** What was asked for, and what has come of it. */
  record Ledger(String run, double rate, String reach, List<Round> rounds) {
    boolean isOf(Ledger other) {
      return run.equals(other.run) && rate == other.rate && reach.equals(other.reach);
    }
  }

  @Override
  public Integer call() throws Exception {
    Console console = progress.console();
    LotteryTicket lottery = new LotteryTicket(rounds, rate, reach);
    Recipe recipe = recipe();
    Path place = out == null ? Path.of(run + "-tickets") : out;
    FileTree.createFolder(place);
    try (FolderLock lock = FolderLock.acquire(place)) {
      return find(lottery, recipe, place, console);
    }
  }

  private int find(LotteryTicket lottery, Recipe recipe, Path place, Console console)
      throws IOException {
    AtomicFile.sweep(place);
    List<Round> ended = new ArrayList<>(ledger(place).rounds());
    if (ended.isEmpty()) {
      ended.add(new Round(0, 1, Run.best(run), run.toString()));
    }
    for (int round = ended.size(); round <= rounds; round++) {
      console.say("round %d of %d: %.1f %% of the weights", round, rounds, 100 * density(round));
      Path folder = place.resolve("round-" + round);
      Path ticket = place.resolve("ticket-" + round);
      OutputFolder.recover(ticket);
      if (!Files.exists(ticket.resolve(Models.CONFIG))) {
        Path before = round == 1 ? run : place.resolve("round-" + (round - 1));
        draw(lottery, round, before, ticket);
      }
      if (isInterrupted(recipe, ticket, folder, console)) {
        console.say("stopped; the same command continues it");
        return Interruption.EXIT_CODE;
      }
      ended.add(new Round(round, density(round), Run.best(folder), folder.toString()));
      write(place, ended);
    }
    json.printer().print(ended.subList(0, rounds + 1));
    return 0;
  }

  private double density(int round) {
    return Math.pow(1 - rate, round);
  }

  private Recipe recipe() {
    Path file = run.resolve("recipe.json");
    if (!Files.exists(file) || !Files.exists(run.resolve("config.json"))) {
      throw new CommandException(
          run + " holds no run with a trained model: train one first, with 'jformer train'");
    }
    return Configs.read(file, Recipe.class);
  }

  private Ledger ledger(Path place) throws IOException {
    Ledger asked = asked(List.of());
    Path file = place.resolve(LEDGER);
    if (!Files.exists(file)) {
      return asked;
    }
    Ledger found = new JsonMapper().readValue(file.toFile(), Ledger.class);
    if (!found.isOf(asked)) {
      throw new CommandException(
          place
              + " holds tickets of "
              + found.run()
              + " with --rate "
              + found.rate()
              + " --reach "
              + found.reach()
              + ": use the same options to continue, or choose another folder with --out");
    }
    return found;
  }

  private Ledger asked(List<Round> ended) {
    String name = reach.name().toLowerCase(Locale.ROOT);
    return new Ledger(run.toAbsolutePath().normalize().toString(), rate, name, ended);
  }

  private void write(Path place, List<Round> ended) throws IOException {
    byte[] text = new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(asked(ended));
    AtomicFile.write(place.resolve(LEDGER), text);
  }

  /** Puts what stays of the weights that the run began with into a folder. */
  private void draw(LotteryTicket lottery, int round, Path before, Path ticket) throws IOException {
    try (Scope scope = Scope.open();
        Model beginning = Run.reopen(run).initialModel();
        Model trained = Models.load(before);
        Model drawn = lottery.ticket(beginning, trained, round)) {
      DerivedModelFolder.save(drawn, run, ticket);
    }
  }

  /** Trains a round; whether it was interrupted. */
  private static boolean isInterrupted(Recipe recipe, Path ticket, Path folder, Console console)
      throws IOException {
    boolean begun = Files.exists(folder.resolve("recipe.json"));
    Run round = begun ? Run.reopen(folder) : Run.begin(recipe(recipe, ticket), folder, true);
    return TrainingSession.train(round, folder, console).isInterrupted();
  }

  /** The recipe of the run, for the model of a ticket. */
  private static Recipe recipe(Recipe recipe, Path ticket) {
    return recipe
        .withModel(Configs.read(ticket.resolve(Models.CONFIG), Model.Config.class))
        .withFrom(ticket.toAbsolutePath().toString());
  }
}
