package dev.jformer.app.command;

import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The program {@code jformer}, whose commands are the other classes. */
@Command(
    name = "jformer",
    mixinStandardHelpOptions = true,
    version = "jformer " + Version.NUMBER,
    description = "Efficient Transformers for the JVM: train, evaluate, run and compare them.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainCommand.class,
      EvalCommand.class,
      GenerateCommand.class,
      ForecastCommand.class,
      PredictCommand.class,
      TranslateCommand.class,
      EmbedCommand.class,
      GrowCommand.class,
      CompressCommand.class,
      TicketsCommand.class,
      ExportCommand.class,
      TokenizerCommand.class,
      InfoCommand.class,
      BenchCommand.class,
      PapersCommand.class,
      ReproduceCommand.class,
      CompareCommand.class,
      GenerateCompletion.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Examples:",
      "  jformer train                             learn to write Java in about three minutes",
      "  jformer train --data book.txt --out runs/book",
      "  jformer train --resume runs/book          go on where it was stopped or killed",
      "  jformer generate runs/book --prompt 'Once upon'",
      "  jformer eval runs/book --data other.txt",
      "  jformer train --task images --data photos.zip",
      "  jformer predict runs/images picture.jpg",
      "  jformer train --task translate --source train.en --target train.de",
      "  jformer translate runs/translate 'A man rides a bicycle.'",
      "  jformer embed minilm --text 'What a film!'",
      "  jformer reproduce primer                  does the paper's claim hold here?",
      "  jformer compare --with flow,primer        which technique pays off for me?",
      "  jformer compress runs/book --with llm-int8 --out runs/book-int8",
      "  jformer info runs/book                    what a model is made of",
      "",
      "'jformer COMMAND --help' explains a command. For completion in bash or zsh:",
      "  source <(jformer generate-completion)"
    })
public final class Commands implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Show where an error came from.")
  private boolean debug;

  /** Runs a command: 0 if all went well, 1 if it failed, 2 if it was asked for wrongly. */
  public static int run(String... args) {
    Commands commands = new Commands();
    CommandLine line = new CommandLine(commands);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> CommandException.report(e, commands.debug));
    return line.execute(args);
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
