package dev.jformer.decode;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;

/** A prompt and its continuation so far. */
final class Sequence {
  private final int number;
  private final int promptLength;
  private final Generator.Request request;
  private final Sampler sampler;
  private final SplittableRandom random;
  private final Transcript transcript;
  private final Generator.Watcher watcher;
  private final IntList ids;
  private Generator.Ending ending;

  Sequence(
      int number,
      int[] prompt,
      Generator.Request request,
      SplittableRandom random,
      Transcript transcript,
      Generator.Watcher watcher) {
    this.number = number;
    this.promptLength = prompt.length;
    this.request = request;
    this.sampler = new Sampler(request.sampling());
    this.random = random;
    this.transcript = transcript;
    this.watcher = watcher;
    this.ids = new IntList(prompt);
  }

  boolean isOpen() {
    return ending == null;
  }

  /** The sampler that chooses its tokens. */
  Sampler sampler() {
    return sampler;
  }

  /** The random stream of its draws. */
  SplittableRandom random() {
    return random;
  }

  /** The tokens that occur in it. */
  BitSet seen() {
    return ids.seen();
  }

  /** The number of tokens that may still follow. */
  int remaining() {
    return request.newTokens() - (ids.size() - promptLength);
  }

  int length() {
    return ids.size();
  }

  /** The tokens from a position on. */
  int[] from(int position) {
    return ids.from(position);
  }

  /** The token at a position; after the end, the last token. */
  int at(int position) {
    return ids.get(Math.min(position, ids.size() - 1));
  }

  /** Chooses the next token from the logits [B, V] of all sequences. */
  void choose(Tensor logits) {
    take(sampler.next(logits.select(0, number).toFloats(), ids.seen(), random));
  }

  /** Appends a token, or ends the sequence if it is a stop id. */
  void take(int id) {
    if (request.stopIds().contains(id)) {
      end(Generator.Ending.STOP_ID);
      return;
    }
    ids.add(id);
    transcript.add(id);
    if (watcher != null) {
      watcher.token(number, id);
    }
    if (transcript.stopped()) {
      end(Generator.Ending.STOP_STRING);
    } else if (ids.size() - promptLength == request.newTokens()) {
      end(Generator.Ending.LENGTH);
    } else {
      publish(transcript.fresh(false));
    }
  }

  /** Ends the sequence if it has not ended yet. */
  void end(Generator.Ending why) {
    if (isOpen()) {
      transcript.end();
      ending = transcript.stopped() ? Generator.Ending.STOP_STRING : why;
      publish(transcript.fresh(true));
    }
  }

  private void publish(String piece) {
    if (watcher != null && !piece.isEmpty()) {
      watcher.text(number, piece);
    }
  }

  Generator.Continuation result() {
    return new Generator.Continuation(
        Arrays.stream(ids.from(promptLength)).boxed().toList(), transcript.text(), ending);
  }
}
