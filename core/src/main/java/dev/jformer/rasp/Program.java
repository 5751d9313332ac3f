package dev.jformer.rasp;

import java.util.Arrays;

/**
 * A program in RASP-L that predicts the token after each token, as a decoder does.
 *
 * @param name of the task
 * @param next the next tokens
 */
public record Program(String name, Sequence next) {
  /**
   * Predicts the token after the last one.
   *
   * @param tokens at least one
   */
  public int next(int... tokens) {
    int[] predictions = next.of(tokens);
    return predictions[predictions.length - 1];
  }

  /**
   * Generates tokens one by one until the end.
   *
   * @param end the last token to generate
   * @param most the most tokens to generate
   * @return the generated tokens without the prompt; the last one is {@code end} unless there are
   *     {@code most}
   */
  public int[] generate(int[] prompt, int end, int most) {
    int[] text = prompt.clone();
    do {
      int token = next(text);
      text = Arrays.copyOf(text, text.length + 1);
      text[text.length - 1] = token;
    } while (text[text.length - 1] != end && text.length < prompt.length + most);
    return Arrays.copyOfRange(text, prompt.length, text.length);
  }

  /** The number of different core operations; see {@link Sequence#operations}. */
  public int length() {
    return next.operations();
  }
}
