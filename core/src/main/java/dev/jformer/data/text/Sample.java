package dev.jformer.data.text;

import java.util.List;

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
   * A conversation, of which the answers are learned.
   *
   * @param messages in their order, the last one by the assistant
   * @param line number of its line, for messages about it
   */
  record Conversation(List<Turn> messages, int line) implements Sample {
    /** Copies the list. */
    public Conversation {
      messages = List.copyOf(messages);
    }
  }

  /**
   * A message of a conversation.
   *
   * @param role such as {@code system}, {@code user} or {@code assistant}
   */
  record Turn(String role, String content) {
    /** The role of what is learned. */
    public static final String ASSISTANT = "assistant";
  }

  /**
   * A prompt with an answer that is better than another.
   *
   * @param prompt may be empty
   * @param chosen the better answer
   * @param rejected the other one
   */
  record Preference(String prompt, String chosen, String rejected) implements Sample {}

  /**
   * A conversation that is better than another one.
   *
   * @param chosen the better one
   * @param rejected the other one, which begins with the same message
   */
  record ConversationPreference(Conversation chosen, Conversation rejected) implements Sample {}

  /** Whether this has an answer that is better than another. */
  default boolean isPreference() {
    return this instanceof Preference || this instanceof ConversationPreference;
  }

  /** Whether this has messages, which a chat template turns into a text. */
  default boolean hasMessages() {
    return this instanceof Conversation || this instanceof ConversationPreference;
  }
}
