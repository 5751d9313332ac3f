package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generates text: continues prompts token by token.
 *
 * <p>Several prompts are continued in one batch, without padding: all sequences are at the same
 * position at any time, and one whose prompt is longer reads its own next token instead of a chosen
 * one. Each draws from a random stream that depends on the seed, on its prompt and on the number of
 * equal prompts before it. So every sequence is what it would be alone, wherever in the batch it
 * is, up to rounding: matrix products of other sizes may differ in the last bit, and if two tokens
 * are that close, another one may be chosen.
 *
 * <p>All prompts are read up to the length of the shortest in one step; the rest of longer ones is
 * read token by token.
 */
public final class Generator {
  private static final Logger LOG = LoggerFactory.getLogger(Generator.class);

  private final CausalLm model;
  private final Drafting drafting;
  private volatile boolean stopping;

  /** Creates a generator for a model, which must not be in training. */
  public Generator(CausalLm model) {
    this.model = model;
    this.drafting = null;
  }

  /**
   * Creates a generator with speculative decoding (<a href="https://arxiv.org/abs/2211.17192">Fast
   * Inference from Transformers via Speculative Decoding</a>): a smaller model guesses tokens and
   * the model checks them. The distribution of texts is the same as without, and greedy texts are
   * equal, up to rounding. With a draft extracted from a MatFormer this is self-speculation (<a
   * href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic
   * Inference</a>). Prompts are continued one after the other.
   *
   * @param draft a model of the same vocabulary; it must not be in training
   * @param ahead number of tokens guessed at a time
   * @throws IllegalArgumentException if the vocabularies differ, or {@code ahead} is below 1
   */
  public Generator(CausalLm model, CausalLm draft, int ahead) {
    this.model = model;
    this.drafting = new Speculation(model, draft, ahead);
  }

  /**
   * Creates a generator whose model guesses several tokens and checks them in the same pass; see
   * {@link JacobiDecoding}. The distribution of texts is the same as without, and greedy texts are
   * equal, up to rounding. Prompts are continued one after the other.
   */
  public Generator(CausalLm model, JacobiDecoding.Settings settings) {
    this.model = model;
    this.drafting = new JacobiDecoding(model, settings);
  }

  /** How many guesses were kept so far; null if none are made. */
  public Speculation.Tally tally() {
    return drafting == null ? null : drafting.tally();
  }

  /**
   * A request to generate text.
   *
   * @param newTokens the most tokens after each prompt
   * @param sampling how they are chosen
   * @param stopIds tokens that end a sequence; they are not part of the result
   * @param stopStrings texts that end a sequence; neither they nor what follows is part of the
   *     result's text. The prompt is not searched for them. If a token completes several, the one
   *     that begins first counts.
   * @param cached whether keys and values of earlier tokens are cached; if not, everything is
   *     computed again for each token
   */
  public record Request(
      int newTokens,
      Sampling sampling,
      Set<Integer> stopIds,
      List<String> stopStrings,
      boolean cached) {
    /** A request for {@code newTokens} tokens without stop tokens or strings. */
    public Request(int newTokens, Sampling sampling) {
      this(newTokens, sampling, Set.of(), List.of(), true);
    }

    /** Checks the values. */
    public Request {
      Checks.atLeast("newTokens", newTokens, 1);
      stopIds = Set.copyOf(stopIds);
      stopStrings = List.copyOf(stopStrings);
      if (stopStrings.contains("")) {
        throw new IllegalArgumentException(
            "a stop string is empty: expected at least one character");
      }
    }
  }

  /** Why a sequence ended. */
  public enum Ending {
    /** It has the requested number of tokens. */
    LENGTH,
    /** A stop id was chosen. */
    STOP_ID,
    /** A stop string occurred. */
    STOP_STRING,
    /** The model cannot read a longer sequence. */
    CONTEXT_FULL,
    /** {@link Generator#stop} was called. */
    INTERRUPTED
  }

  /**
   * A finished continuation.
   *
   * @param ids the tokens after the prompt, including those of a stop string
   * @param text their text, cut before the stop string; empty if there was no decoder
   * @param ending why it ended
   */
  public record Continuation(List<Integer> ids, String text, Ending ending) {}

  /** Receives text and tokens as they are generated, in the generating thread. */
  @FunctionalInterface
  public interface Watcher {
    /**
     * Receives the next piece of the text of a sequence. A piece has at least one character, never
     * half of one, and nothing of a stop string; all pieces together are {@link Continuation#text}.
     */
    void text(int sequence, String piece);

    /** Receives the next token of a sequence, unless it is a stop id. */
    default void token(int sequence, int id) {}
  }

  /**
   * Makes {@link #generate} end after the present step; can be called from any thread. Unfinished
   * sequences keep what they have; later calls end at once.
   */
  public void stop() {
    stopping = true;
  }

  /**
   * Continues prompts without decoding: see {@link #generate(List, Request, Function, Watcher)}.
   */
  public List<Continuation> generate(List<int[]> prompts, Request request) {
    return generate(prompts, request, null, null);
  }

  /**
   * Continues prompts. A prompt and its continuation may together have one token more than the
   * model can read, because the last one is never read. If one of the model's mixers cannot decode
   * step by step, everything is computed again for each token, as if {@link Request#cached} were
   * false.
   *
   * @param prompts ids, at least one each; may be none
   * @param decoder turns ids into text; null for no text, if there are no stop strings
   * @param watcher receives the text as it is generated; may be null
   * @return a continuation for each prompt
   * @throws IllegalArgumentException if a prompt is empty, longer than the model can read, or has
   *     ids outside of the vocabulary, or if there are stop strings but no decoder
   * @throws IllegalStateException if the model is in training, or a logit is not finite
   */
  public List<Continuation> generate(
      List<int[]> prompts, Request request, Function<int[], String> decoder, Watcher watcher) {
    check(model, prompts, request, decoder);
    if (prompts.isEmpty()) {
      return List.of();
    }
    List<SplittableRandom> streams = RandomStreams.of(request.sampling().seed(), prompts);
    List<Sequence> sequences = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      sequences.add(
          new Sequence(
              i,
              prompts.get(i),
              request,
              streams.get(i),
              new Transcript(decoder, request.stopStrings()),
              watcher));
    }
    if (drafting != null) {
      for (Sequence sequence : sequences) {
        drafting.generate(sequence, () -> stopping);
      }
      return sequences.stream().map(Sequence::result).toList();
    }
    int longest = prompts.stream().mapToInt(prompt -> prompt.length).max().orElseThrow();
    // The last token chosen is never read.
    long capacity = Math.min(longest + request.newTokens() - 1L, model.longest());
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding = start(prompts.size(), capacity, request.cached())) {
      int from = 0;
      int to = prompts.stream().mapToInt(prompt -> prompt.length).min().orElseThrow();
      while (sequences.stream().anyMatch(Sequence::isOpen)) {
        if (stopping || to > capacity) {
          Ending ending = stopping ? Ending.INTERRUPTED : Ending.CONTEXT_FULL;
          sequences.forEach(sequence -> sequence.end(ending));
          break;
        }
        // Without a cache all tokens are read again.
        step(sequences, decoding, decoding == null ? 0 : from, to);
        from = to;
        to++;
      }
    }
    return sequences.stream().map(Sequence::result).toList();
  }

  /** The state of decoding; null if there is no cache and everything is computed again. */
  private CausalLm.Decoding start(long batch, long capacity, boolean cached) {
    if (!cached) {
      return null;
    }
    try {
      return model.decode(batch, capacity);
    } catch (UnsupportedOperationException e) {
      LOG.info("{}: everything is computed again for each token", e.getMessage());
      return null;
    }
  }

  /**
   * Reads tokens from … to - 1 of all sequences and chooses token number {@code to} of those whose
   * prompt has ended.
   */
  private void step(List<Sequence> sequences, CausalLm.Decoding decoding, int from, int to) {
    boolean single = sequences.size() == 1 && to - from == 1;
    try (Scope scope = Scope.open();
        Mode mode = single ? Engine.singleThreaded() : () -> {}) {
      long[] ids = new long[sequences.size() * (to - from)];
      int at = 0;
      for (Sequence sequence : sequences) {
        for (int t = from; t < to; t++) {
          ids[at++] = sequence.at(t);
        }
      }
      Tensor input = Tensor.of(ids, sequences.size(), to - from);
      Tensor logits =
          decoding == null ? model.logits(input).select(1, to - 1) : decoding.next(input);
      for (Sequence sequence : sequences) {
        if (sequence.isOpen() && sequence.length() == to) {
          sequence.choose(logits);
        }
      }
    }
  }

  /** Checks that a model can continue prompts. */
  static void check(
      CausalLm model, List<int[]> prompts, Request request, Function<int[], String> decoder) {
    if (model.isTraining()) {
      throw new IllegalStateException(
          "the model is in training, where dropout would disturb it: call train(false) first");
    }
    if (decoder == null && !request.stopStrings().isEmpty()) {
      throw new IllegalArgumentException(
          "stop strings " + request.stopStrings() + " need a decoder, but it is null");
    }
    for (int i = 0; i < prompts.size(); i++) {
      check(model, i, prompts.get(i));
    }
  }

  private static void check(CausalLm model, int number, int[] prompt) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException(
          "prompt " + number + " is empty: expected at least one token");
    }
    if (prompt.length > model.longest()) {
      throw new IllegalArgumentException(
          String.format(
              "prompt %d has %d tokens, but the model reads at most %d: shorten it",
              number, prompt.length, model.longest()));
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.config().vocab()) {
        throw new IllegalArgumentException(
            String.format(
                "prompt %d has the token %d, but the model's vocabulary is 0 to %d",
                number, id, model.config().vocab() - 1));
      }
    }
  }
}
