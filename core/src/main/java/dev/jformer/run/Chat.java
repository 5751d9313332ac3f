package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.decode.Session;
import dev.jformer.hub.ChatMessage;
import dev.jformer.hub.ChatTemplate;
import dev.jformer.hub.GenerationSettings;
import dev.jformer.hub.StopTokens;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A conversation with a chat model. Each answer is made from all that was said; what the model has
 * read is kept, so that only the new message is read. One thread uses it at a time.
 *
 * <pre>{@code
 * try (Chat chat = Chat.open(Path.of("model.gguf"), new Chat.Options().withSystem("Be brief."))) {
 *   chat.say("What is a monad?", System.out::print);
 *   System.out.println(chat.say("And a comonad?").text());
 * }
 * }</pre>
 */
public final class Chat implements AutoCloseable {
  private static final int LARGEST_CONTEXT = 4096;

  private final LanguageModel model;
  private final ChatTemplate template;
  private final Options options;
  private final Set<Integer> ends;
  private final Session session;
  private final List<ChatMessage> history = new ArrayList<>();
  private String system;

  /**
   * How answers are made.
   *
   * @param system an instruction for the whole conversation; empty for none
   * @param sampling how tokens are chosen; null for what the model's makers say
   * @param tokens the most tokens of an answer
   * @param context the most tokens of the conversation that the model reads; 0 for as many as it
   *     was trained on, but at most 4096
   */
  public record Options(String system, Sampling sampling, int tokens, int context) {
    /** No instruction, the sampling of the model's makers, and answers of at most 1024 tokens. */
    public Options() {
      this("", null, 1024, 0);
    }

    /** Checks the values. */
    public Options {
      Checks.atLeast("tokens", tokens, 1);
      Checks.atLeast("context", context, 0);
    }

    /** The same options with an instruction. */
    public Options withSystem(String newSystem) {
      return new Options(newSystem, sampling, tokens, context);
    }

    /** The same options with another sampling. */
    public Options withSampling(Sampling newSampling) {
      return new Options(system, newSampling, tokens, context);
    }

    /** The same options with other bounds. */
    public Options withBounds(int newTokens, int newContext) {
      return new Options(system, sampling, newTokens, newContext);
    }
  }

  /**
   * An answer.
   *
   * @param text what the model said
   * @param ending why it ended
   * @param tokens how many tokens it has
   * @param reused how many tokens of the conversation were not read again
   * @param read how many were read for it
   * @param dropped how many of the oldest messages were left out, because the context was full
   */
  public record Answer(
      String text, Generator.Ending ending, int tokens, int reused, int read, int dropped) {}

  private Chat(
      LanguageModel model,
      ChatTemplate template,
      Options options,
      Set<Integer> ends,
      Session session) {
    this.model = model;
    this.template = template;
    this.options = options;
    this.ends = ends;
    this.session = session;
    this.system = options.system();
  }

  /** Begins a conversation with the default {@link Options}. */
  public static Chat open(Path path) throws IOException {
    return open(path, new Options());
  }

  /**
   * Begins a conversation.
   *
   * @param path the folder of a language model with a chat template, or a GGUF file
   * @throws RunException if it has no chat template, or is no language model
   */
  public static Chat open(Path path, Options options) throws IOException {
    ChatTemplate template =
        ChatTemplate.of(path)
            .orElseThrow(
                () ->
                    new RunException(
                        path
                            + " has no chat template: continue texts with it (jformer generate), or"
                            + " write the template of its makers to chat_template.jinja in its"
                            + " folder"));
    Sampling sampling =
        options.sampling() == null
            ? GenerationSettings.of(path, new Sampling())
            : options.sampling();
    LanguageModel model = LanguageModel.load(path);
    try {
      Set<Integer> ends = new TreeSet<>(StopTokens.of(path, model.tokenizer()));
      ends.addAll(StopTokens.ofTurn(template, model.tokenizer()));
      long trained = Math.min(model.model().config().length(), LARGEST_CONTEXT);
      long context = options.context() == 0 ? Math.max(2, trained) : options.context();
      Session session = new Session(model.model(), Math.toIntExact(context));
      return new Chat(model, template, options.withSampling(sampling), ends, session);
    } catch (RuntimeException | IOException | Error e) {
      model.close();
      throw e;
    }
  }

  /** Says something and waits for the answer. */
  public Answer say(String message) {
    return say(message, piece -> {});
  }

  /**
   * Says something.
   *
   * @param pieces receives the answer as it is generated
   * @throws RunException if the message alone is longer than the context
   * @throws dev.jformer.data.DataException if the template refuses the conversation
   */
  public Answer say(String message, Consumer<? super String> pieces) {
    List<ChatMessage> said = new ArrayList<>(history);
    said.add(ChatMessage.user(message));
    int room = Math.min(options.tokens(), session.capacity() / 4);
    int[] prompt = encoded(said);
    int dropped = 0;
    while (prompt.length + room > session.capacity() && said.size() > 1) {
      dropped += dropTurn(said);
      prompt = encoded(said);
    }
    if (prompt.length > session.capacity()) {
      throw new RunException(
          "the message has "
              + prompt.length
              + " tokens with what the template adds, but the context "
              + session.capacity()
              + ": shorten it, or take a larger context");
    }
    Generator.Request request =
        new Generator.Request(options.tokens(), options.sampling(), ends, List.of(), true);
    Generator.Continuation made =
        session.generate(
            prompt, request, model.tokenizer()::decode, (sequence, piece) -> pieces.accept(piece));
    said.add(ChatMessage.assistant(made.text()));
    history.clear();
    history.addAll(said);
    int reused = session.reused();
    return new Answer(
        made.text(), made.ending(), made.ids().size(), reused, prompt.length - reused, dropped);
  }

  /** Removes the oldest message and its answer; how many these are. */
  private static int dropTurn(List<ChatMessage> said) {
    int count = 1;
    while (count < said.size() - 1 && !said.get(count).role().equals("user")) {
      count++;
    }
    said.subList(0, count).clear();
    return count;
  }

  private int[] encoded(List<ChatMessage> said) {
    List<ChatMessage> all = new ArrayList<>();
    if (!system.isEmpty()) {
      all.add(ChatMessage.system(system));
    }
    all.addAll(said);
    return model.tokenizer().encode(template.render(all, true));
  }

  /** Forgets what was said; the instruction stays. */
  public void reset() {
    history.clear();
  }

  /** Gives another instruction, empty for none, and forgets what was said. */
  public void setSystem(String newSystem) {
    system = newSystem;
    history.clear();
  }

  /** What was said and is still known, without the instruction. */
  public List<ChatMessage> history() {
    return List.copyOf(history);
  }

  /** The most tokens of the conversation that the model reads. */
  public int context() {
    return session.capacity();
  }

  /** Ends the answer in progress; can be called from any thread. */
  public void stop() {
    session.stop();
  }

  /** Releases the model. */
  @Override
  public void close() {
    session.close();
    model.close();
  }
}
