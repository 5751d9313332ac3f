package dev.jformer.decode;

/** Thrown when a model's logits are not finite, so that no next token can be chosen. */
public final class LogitsException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  LogitsException(String what) {
    super(what + "; the weights may be damaged, or training diverged");
  }
}
