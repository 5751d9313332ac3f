package dev.jformer.decode;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * Goes on with texts.
 *
 * <p>Several prompts are continued together, without padding: all sequences stand at the same
 * position at any time, and one whose prompt is longer is fed its own next token instead of a
 * chosen one. So every sequence is what it would be alone.
 */
public final class Generator {
  private final CausalLm model;

  /** A generator for a model, which must not be in training. */
  public Generator(CausalLm model) {
    this.model = model;
  }

  /**
   * What to generate.
   *
   * @param newTokens the most tokens after each prompt
   * @param sampling how they are chosen
   * @param stopIds tokens that end a sequence; they are not part of the result
   * @param stopStrings texts that end a sequence; neither they nor what follows is part of the
   *     result
   * @param cached whether what was computed for earlier tokens is kept; without, everything is
   *     computed again for each token
   */
  public record Request(
      int newTokens,
      Sampling sampling,
      Set<Integer> stopIds,
      List<String> stopStrings,
      boolean cached) {
    /** Up to so many tokens, ended by nothing else. */
    public Request(int newTokens, Sampling sampling) {
      this(newTokens, sampling, Set.of(), List.of(), true);
    }

    /** Checks the values. */
    public Request {
      if (newTokens < 1) {
        throw new IllegalArgumentException("newTokens is " + newTokens + ": expected at least 1");
      }
      if (stopStrings.stream().anyMatch(String::isEmpty)) {
        throw new IllegalArgumentException("a stop string is empty");
      }
    }
  }

  /** Why a sequence ended. */
  public enum Ending {
    /** It has all tokens asked for. */
    LENGTH,
    /** A stop id was chosen. */
    STOP_ID,
    /** A stop string came up. */
    STOP_STRING,
    /** The model cannot take a longer sequence. */
    CONTEXT_FULL
  }

  /**
   * A finished continuation.
   *
   * @param ids the tokens after the prompt
   * @param text their text, cut before a stop string
   * @param ending why it ended
   */
  public record Continuation(List<Integer> ids, String text, Ending ending) {}

  /** Is told every token as it is chosen. */
  @FunctionalInterface
  public interface Watcher {
    /** Sequence number {@code sequence} went on with {@code id}. */
    void token(int sequence, int id);
  }

  /**
   * Continues prompts.
   *
   * @param prompts ids, at least one each
   * @param decoder the text of ids
   * @param watcher told every token; null for nobody
   * @throws IllegalArgumentException if a prompt is empty, longer than the model can take, or has
   *     ids it does not know
   */
  public List<Continuation> generate(
      List<int[]> prompts, Request request, Function<int[], String> decoder, Watcher watcher) {
    prompts.forEach(this::check);
    List<Sequence> sequences = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      sequences.add(new Sequence(i, prompts.get(i), request, decoder, watcher));
    }
    int shortest = prompts.stream().mapToInt(prompt -> prompt.length).min().orElseThrow();
    long capacity =
        prompts.stream().mapToInt(prompt -> prompt.length).max().orElseThrow()
            + (long) request.newTokens();
    capacity = Math.min(capacity, model.longest());
    try (Mode mode = Autograd.inference();
        CausalLm.Decoding decoding =
            request.cached() ? model.decode(prompts.size(), capacity) : null) {
      int from = 0;
      int to = shortest;
      while (sequences.stream().anyMatch(sequence -> sequence.ending == null)) {
        if (to > capacity) {
          sequences.forEach(Sequence::full);
          break;
        }
        step(sequences, decoding, decoding == null ? 0 : from, to);
        from = to;
        to++;
      }
    }
    return sequences.stream().map(Sequence::result).toList();
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
        if (sequence.ending == null && sequence.length() == to) {
          sequence.choose(logits);
        }
      }
    }
  }

  private void check(int[] prompt) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("a prompt is empty: expected at least one token");
    }
    if (prompt.length > model.longest()) {
      throw new IllegalArgumentException(
          "a prompt has "
              + prompt.length
              + " tokens, but the model takes at most "
              + model.longest());
    }
    for (int id : prompt) {
      if (id < 0 || id >= model.config().vocab()) {
        throw new IllegalArgumentException(
            "a prompt has the token "
                + id
                + ", but the model's vocabulary has "
                + model.config().vocab());
      }
    }
  }

  /** One text being continued. */
  private static final class Sequence {
    private final int number;
    private final int promptLength;
    private final Request request;
    private final Function<int[], String> decoder;
    private final Watcher watcher;
    private final Sampler sampler;
    private final Ids ids;
    private Ending ending;
    private String cut;

    Sequence(
        int number,
        int[] prompt,
        Request request,
        Function<int[], String> decoder,
        Watcher watcher) {
      this.number = number;
      this.promptLength = prompt.length;
      this.request = request;
      this.decoder = decoder;
      this.watcher = watcher;
      this.sampler = new Sampler(request.sampling(), number);
      this.ids = new Ids(prompt);
    }

    int length() {
      return ids.size();
    }

    /** The token at a position; after the end any will do. */
    int at(int position) {
      return ids.get(Math.min(position, ids.size() - 1));
    }

    void choose(Tensor logits) {
      int id = sampler.next(logits.select(0, number), ids);
      if (request.stopIds().contains(id)) {
        ending = Ending.STOP_ID;
        return;
      }
      ids.add(id);
      if (watcher != null) {
        watcher.token(number, id);
      }
      if (ids.size() - promptLength == request.newTokens()) {
        ending = Ending.LENGTH;
      }
      if (!request.stopStrings().isEmpty()) {
        stopAtString();
      }
    }

    private void stopAtString() {
      String text = decoder.apply(ids.from(promptLength));
      for (String stop : request.stopStrings()) {
        int index = text.indexOf(stop);
        if (index >= 0 && (cut == null || index < cut.length())) {
          cut = text.substring(0, index);
          ending = Ending.STOP_STRING;
        }
      }
    }

    void full() {
      if (ending == null) {
        ending = Ending.CONTEXT_FULL;
      }
    }

    Continuation result() {
      int[] fresh = ids.from(promptLength);
      return new Continuation(
          Arrays.stream(fresh).boxed().toList(), cut != null ? cut : decoder.apply(fresh), ending);
    }
  }
}
