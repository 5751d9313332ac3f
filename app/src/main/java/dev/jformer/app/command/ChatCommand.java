package dev.jformer.app.command;

import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.GenerationSettings;
import dev.jformer.run.Chat;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer chat}. */
@Command(
    name = "chat",
    header = "Talk to a chat model",
    footer =
        """
        Examples:
          jformer chat SmolLM2-135M-Instruct.Q4_1.gguf
          jformer chat model.gguf 'What is the capital of France?'
          jformer chat model-folder --system 'Answer in one sentence.' --greedy
          jformer chat model.gguf < questions.txt

        Each line of the input is a message. Lines that begin with a slash are commands:
          /reset          forgets what was said
          /system TEXT    gives another instruction, and forgets what was said
          /exit           ends the conversation, as the end of the input does

        MODEL is a GGUF file, or the folder of a language model with a chat template
        (chat_template.jinja or tokenizer_config.json).
        """)
final class ChatCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "The folder of a chat model, or a GGUF file.")
  private Path model;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "PROMPT",
      description = "A message: the answer is printed, and the conversation ends.")
  private String prompt;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "An instruction for the whole conversation.")
  private String system = "";

  @Option(
      names = {"-n", "--tokens"},
      paramLabel = "N",
      description = "The most tokens of an answer (default ${DEFAULT-VALUE}).")
  private int tokens = 1024;

  @Option(
      names = "--context",
      paramLabel = "N",
      description =
          "The most tokens of the conversation that the model reads; when they are used up, the"
              + " oldest messages are left out (default: what it was trained on, at most 4096).")
  private int context;

  @Option(names = "--greedy", description = "Always take the most probable token.")
  private boolean greedy;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description =
          "The temperature of sampling (default: what the model's makers say, or else 0.8).")
  private Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description =
          "Choose among the K most probable tokens; 0 for all (default: the makers', or else 50).")
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description =
          "Choose among the most probable tokens with this total probability (default: the"
              + " makers', or else 0.95).")
  private Double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description =
          "Choose among tokens with at least P times the probability of the most probable one"
              + " (default: the makers', or else 0).")
  private Double minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "R",
      description =
          "Values above 1 make repeated tokens less probable (default: the makers', or else 1).")
  private Double repetitionPenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of sampling (default ${DEFAULT-VALUE}).")
  private long seed = 1;

  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  @Override
  public Integer call() throws Exception {
    Chat.Options options = new Chat.Options(system, sampling(), tokens, context);
    try (Interruption interruption = new Interruption();
        Chat chat = Chat.open(model, options)) {
      interruption.then(chat::stop);
      if (prompt != null) {
        return answer(chat, prompt) ? 0 : Interruption.EXIT_CODE;
      }
      return talk(chat) ? 0 : Interruption.EXIT_CODE;
    }
  }

  private Sampling sampling() throws IOException {
    Sampling usual = GenerationSettings.of(model, new Sampling().withSeed(seed));
    return new Sampling(
        greedy ? 0 : given(temperature, usual.temperature()),
        topK == null ? usual.topK() : topK,
        given(topP, usual.topP()),
        given(minP, usual.minP()),
        given(repetitionPenalty, usual.repetitionPenalty()),
        seed);
  }

  private static double given(Double value, double otherwise) {
    return value == null ? otherwise : value;
  }

  /** Answers the lines of the input; false if it was interrupted. */
  private boolean talk(Chat chat) throws IOException {
    boolean person = Terminal.isInteractive();
    if (person) {
      System.err.println("/reset forgets what was said, /system TEXT instructs, /exit ends");
    }
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    while (true) {
      if (person) {
        System.err.print("> ");
        System.err.flush();
      }
      String line = in.readLine();
      if (line == null || line.strip().equals("/exit")) {
        return true;
      }
      if (line.startsWith("/")) {
        command(chat, line.strip());
      } else if (!line.isBlank() && !answer(chat, line)) {
        return false;
      }
    }
  }

  private static void command(Chat chat, String line) {
    String[] words = line.split("\\s+", 2);
    switch (words[0]) {
      case "/reset" -> chat.reset();
      case "/system" -> chat.setSystem(words.length > 1 ? words[1] : "");
      default ->
          System.err.println(
              "unknown command " + words[0] + ": expected /reset, /system TEXT or /exit");
    }
  }

  /** Prints an answer; false if it was interrupted. */
  private boolean answer(Chat chat, String message) {
    long start = System.nanoTime();
    Chat.Answer answer =
        chat.say(
            message,
            piece -> {
              out.print(piece);
              out.flush();
            });
    out.println();
    if (answer.dropped() > 0) {
      System.err.printf(
          Locale.ROOT,
          "(the context of %d tokens is full: the oldest %d messages were left out)%n",
          chat.context(),
          answer.dropped());
    }
    if (answer.ending() == Generator.Ending.LENGTH) {
      System.err.printf(Locale.ROOT, "(cut off after %d tokens: see --tokens)%n", answer.tokens());
    } else if (answer.ending() == Generator.Ending.CONTEXT_FULL) {
      System.err.printf(
          Locale.ROOT, "(cut off: the context of %d tokens is full)%n", chat.context());
    }
    if (prompt != null || !Terminal.isInteractive()) {
      double seconds = (System.nanoTime() - start) / 1e9;
      System.err.printf(
          Locale.ROOT,
          "(%d tokens read, %d kept, %d generated in %.1f s)%n",
          answer.read(),
          answer.reused(),
          answer.tokens(),
          seconds);
    }
    return answer.ending() != Generator.Ending.INTERRUPTED;
  }
}
