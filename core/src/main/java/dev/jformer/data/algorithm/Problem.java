package dev.jformer.data.algorithm;

import dev.jformer.config.Part;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A problem that an algorithm solves: an endless source of prompts with their right answers. Texts
 * are lists of symbols, so that a symbol may be a character or a number. All randomness comes from
 * the generator that is given.
 */
public interface Problem extends Part {
  /** Ends each example: the end of a line. It is a symbol of every problem. */
  String END = "\n";

  /** All symbols of prompts and answers, {@link #END} among them, each once. */
  List<String> symbols();

  /** Draws an example. */
  Example draw(RandomGenerator random);

  /** The most symbols of a prompt and its answer together, {@link #END} included. */
  int mostSymbols();

  /** What stands between symbols when they are shown: nothing, or a space. */
  default String separator() {
    return "";
  }

  /**
   * Whether {@link #END} after this ends the answer: scratchpads have ends of lines within.
   *
   * @param answer right or wrong, without the {@link #END} that follows
   */
  default boolean isComplete(List<String> answer) {
    return true;
  }

  /**
   * What of an answer is to be right: by default all of it; of a derivation, what it arrives at.
   *
   * @param answer right or wrong, without {@link #END}
   */
  default List<String> result(List<String> answer) {
    return answer;
  }
}
