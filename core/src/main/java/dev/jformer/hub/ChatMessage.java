package dev.jformer.hub;

import java.util.Objects;

/**
 * A message of a conversation with a chat model.
 *
 * @param role who speaks: {@code system}, {@code user} or {@code assistant}, or another role that
 *     the model's template knows
 * @param content what is said
 */
public record ChatMessage(String role, String content) {
  /** Checks that both are given. */
  public ChatMessage {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
  }

  /** An instruction for the whole conversation. */
  public static ChatMessage system(String content) {
    return new ChatMessage("system", content);
  }

  /** A message of the person. */
  public static ChatMessage user(String content) {
    return new ChatMessage("user", content);
  }

  /** An answer of the model. */
  public static ChatMessage assistant(String content) {
    return new ChatMessage("assistant", content);
  }
}
