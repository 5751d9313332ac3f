package dev.jformer.data.text;

/** An example that a language model is fine-tuned on, as a line of a JSONL file gives it. */
public sealed interface Sample {
  /**
   * A text, all of which is learned.
   *
   * @param text not empty
   */
  record Text(String text) implements Sample {}

  /**
   * A prompt and what is to follow it, which alone is learned.
   *
   * @param prompt may be empty
   * @param completion not empty
   */
  record Completion(String prompt, String completion) implements Sample {}

  /**
   * A prompt with an answer that is better than another.
   *
   * @param prompt may be empty
   * @param chosen the better answer
   * @param rejected the other one
   */
  record Preference(String prompt, String chosen, String rejected) implements Sample {}
}
