package dev.jformer.app.command;

import dev.jformer.tensor.Device;
import dev.jformer.tensor.Engine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.PicocliException;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;

/** The program {@code jformer}, whose commands are the other classes. */
@Command(
    name = "jformer",
    header = "Efficient Transformers for the JVM: train, evaluate, run and compare them.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      TrainCommand.class,
      EvalCommand.class,
      CompareCommand.class,
      ReproduceCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      PredictCommand.class,
      SampleCommand.class,
      InpaintCommand.class,
      TranslateCommand.class,
      EmbedCommand.class,
      ForecastCommand.class,
      CompressCommand.class,
      TicketsCommand.class,
      GrowCommand.class,
      SearchCommand.class,
      ExportCommand.class,
      ProgramCommand.class,
      InfoCommand.class,
      RunsCommand.class,
      PapersCommand.class,
      TokenizerCommand.class,
      WordVectorsCommand.class,
      BenchCommand.class,
      GenerateCompletion.class,
      HelpCommand.class
    },
    footer =
        """
        Examples:
          jformer train
              Learns to write Java, in about three minutes.
          jformer train --data book.txt --out runs/book
          jformer train --resume runs/book
              Continues a run that was stopped or killed.
          jformer generate runs/book --prompt 'Once upon'
          jformer chat model.gguf
          jformer eval runs/book --data other.txt
          jformer train --task images --data photos.zip
          jformer predict runs/images picture.jpg
          jformer train --task diffusion --data photos.zip
          jformer sample runs/diffusion --class cat --out grid.png
          jformer train --task translate --source train.en --target train.de
          jformer translate runs/translate 'A man rides a bicycle.'
          jformer embed minilm --text 'What a film!'
          jformer reproduce primer
              Measures whether the claims of a paper hold on this machine.
          jformer compare --with flow,primer
              Measures which techniques pay off on your data.
          jformer compress runs/book --with llm-int8 --out runs/book-int8
          jformer info runs/book
          jformer runs
              Lists what was trained.

        'jformer COMMAND --help' explains a command. Completion in bash and zsh:
          source <(jformer generate-completion)
        """)
public final class Commands implements Runnable {
  /** Headings of the list of commands, and what stands below each. */
  static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

  static {
    GROUPS.put("Train and measure:", List.of("train", "eval", "compare", "reproduce"));
    GROUPS.put(
        "Use a model:",
        List.of(
            "generate", "chat", "predict", "sample", "inpaint", "translate", "embed", "forecast"));
    GROUPS.put(
        "Change a model:", List.of("compress", "tickets", "grow", "search", "export", "program"));
    GROUPS.put("Look things up:", List.of("info", "runs", "papers", "help"));
    GROUPS.put("Tools:", List.of("tokenizer", "word-vectors", "bench", "generate-completion"));
  }

  @CommandLine.Spec private CommandSpec spec;

  @Option(
      names = "--plugins",
      scope = ScopeType.INHERIT,
      paramLabel = "PATH",
      description =
          "Parts of your own: a jar, or a folder of jars or classes (see also the environment"
              + " variable JFORMER_CLASSPATH).")
  private Path plugins;

  @Option(
      names = "--threads",
      scope = ScopeType.INHERIT,
      paramLabel = "N",
      description = "How many threads compute (default: the physical cores).")
  private Integer threads;

  @Option(
      names = "--device",
      scope = ScopeType.INHERIT,
      paramLabel = "DEVICE",
      description =
          "What computes: cpu, cuda, cuda:1 and so on (default cpu). A GPU needs a build with"
              + " -Pgpu.")
  private String device;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error.")
  private boolean debug;

  private Commands() {}

  /**
   * Runs a command.
   *
   * @return the exit code: 0 if all went well, 1 if the command failed, 2 if its arguments are
   *     wrong, 130 if it was interrupted
   */
  public static int run(String... args) {
    Commands commands = new Commands();
    try {
      return line(commands).execute(args);
    } catch (Error e) {
      return CommandException.report(e, commands.debug);
    }
  }

  /** The program, ready to run a command. */
  static CommandLine line() {
    return line(new Commands());
  }

  private static CommandLine line(Commands commands) {
    CommandLine line = new CommandLine(commands);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExpandAtFiles(false);
    line.setExecutionStrategy(commands::execute);
    line.setExecutionExceptionHandler(
        (error, command, parsed) -> CommandException.report(error, commands.debug));
    line.setParameterExceptionHandler(UsageErrors::report);
    standardOptions(line);
    Map<String, CommandLine> all = line.getSubcommands();
    all.get("generate-completion")
        .getCommandSpec()
        .usageMessage()
        .header("Print a completion script for bash and zsh");
    all.get("help").getCommandSpec().usageMessage().header("Explain a command");
    HelpLayout.apply(line, GROUPS);
    return line;
  }

  /** Runs the command that was parsed, with the user's own parts. */
  private int execute(ParseResult parsed) {
    try (Plugins opened = plugins == null ? null : Plugins.open(plugins)) {
      if (threads != null) {
        Engine.setThreads(threads);
      }
      if (device != null) {
        Device.use(Device.parse(device));
      }
      return new RunLast().execute(parsed);
    } catch (PicocliException e) {
      throw e; // of the command: its own handler reports it
    } catch (IOException | RuntimeException e) {
      return CommandException.report(e, debug);
    }
  }

  private static void standardOptions(CommandLine line) {
    CommandSpec spec = line.getCommandSpec();
    if (!spec.helpCommand() && spec.findOption("--help") == null) {
      spec.mixinStandardHelpOptions(true);
    }
    spec.version("jformer " + Version.NUMBER);
    line.getSubcommands().values().forEach(Commands::standardOptions);
  }

  @Override
  public void run() {
    spec.commandLine().usage(System.out);
  }
}
