package dev.jformer.decode;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continues one prompt after the other, and keeps what the model has read: of the next prompt only
 * what differs from the tokens before is read. A conversation, whose every prompt begins with all
 * that was said, is read once.
 *
 * <p>The texts are those of {@link Generator}, up to rounding. A session is used by one thread at a
 * time; {@link #stop} may be called by any.
 */
public final class Session implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Session.class);

  private final CausalLm model;
  private final int capacity;
  private final CausalLm.Decoding decoding;

  /** The tokens that the decoding state holds. */
  private int[] read = {};

  private int reused;
  private volatile boolean stopping;

  /**
   * Creates a session.
   *
   * @param model must not be in training; it stays open when the session is closed
   * @param capacity the most tokens of a prompt and its continuation, for which memory is taken
   * @throws IllegalArgumentException if the model cannot read so many
   */
  public Session(CausalLm model, int capacity) {
    if (capacity < 2 || capacity > model.longest()) {
      throw new IllegalArgumentException(
          "the context is "
              + capacity
              + " tokens: expected 2 to "
              + model.longest()
              + ", the most that the model reads");
    }
    this.model = model;
    this.capacity = capacity;
    this.decoding = start(model, capacity);
  }

  private static CausalLm.Decoding start(CausalLm model, int capacity) {
    try (Mode mode = Autograd.inference()) {
      return model.decode(1, capacity);
    } catch (UnsupportedOperationException e) {
      LOG.info("{}: everything is computed again for each token", e.getMessage());
      return null;
    }
  }

  /** The most tokens of a prompt and its continuation. */
  public int capacity() {
    return capacity;
  }

  /** How many tokens of the last prompt were not read again. */
  public int reused() {
    return reused;
  }

  /** Ends the continuation in progress, or the next one, after the present step. */
  public void stop() {
    stopping = true;
  }

  /**
   * Continues a prompt; see {@link Generator#generate(List, Generator.Request, Function,
   * Generator.Watcher)}.
   *
   * @param prompt ids, at least one
   * @param decoder turns ids into text; null for no text
   * @param watcher receives the text as it is generated; may be null
   * @throws IllegalArgumentException if the prompt is empty, has more tokens than the session, or
   *     has ids outside of the vocabulary
   */
  public Generator.Continuation generate(
      int[] prompt,
      Generator.Request request,
      Function<int[], String> decoder,
      Generator.Watcher watcher) {
    if (prompt.length > capacity) {
      throw new IllegalArgumentException(
          "the prompt has " + prompt.length + " tokens, but the context " + capacity);
    }
    Generator.check(model, List.of(prompt), request, decoder);
    Sequence sequence =
        new Sequence(
            0,
            prompt,
            request,
            RandomStreams.of(request.sampling().seed(), List.of(prompt)).get(0),
            new Transcript(decoder, request.stopStrings()),
            watcher);
    try (Mode mode = Autograd.inference()) {
      keepCommon(prompt);
      while (sequence.isOpen()) {
        if (stopping || sequence.length() > capacity) {
          sequence.end(stopping ? Generator.Ending.INTERRUPTED : Generator.Ending.CONTEXT_FULL);
          break;
        }
        step(sequence);
      }
    }
    stopping = false;
    return sequence.result();
  }

  /** Drops what was read and is not in the prompt; the prompt's last token is read in any case. */
  private void keepCommon(int[] prompt) {
    int common = 0;
    int most = Math.min(read.length, prompt.length - 1);
    while (common < most && read[common] == prompt[common]) {
      common++;
    }
    if (decoding != null && common < read.length) {
      try {
        decoding.truncate(common);
      } catch (UnsupportedOperationException e) {
        LOG.debug("everything is read again: {}", e.getMessage());
        decoding.truncate(0);
        common = 0;
      }
    }
    reused = decoding == null ? 0 : common;
    read = Arrays.copyOf(prompt, reused);
  }

  private void step(Sequence sequence) {
    int from = read.length;
    int[] fresh = sequence.from(from);
    boolean single = fresh.length == 1;
    try (Scope scope = Scope.open();
        Mode mode = single ? Engine.singleThreaded() : () -> {}) {
      long[] ids = Arrays.stream(fresh).asLongStream().toArray();
      Tensor input = Tensor.of(ids, 1, ids.length);
      Tensor logits =
          decoding == null ? model.logits(input).select(1, ids.length - 1) : decoding.next(input);
      if (decoding != null) {
        read = sequence.from(0);
      }
      sequence.choose(logits);
    }
  }

  /** Releases what was kept. */
  @Override
  public void close() {
    if (decoding != null) {
      decoding.close();
    }
  }
}
