package dev.jformer.mixer.recurrent;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Base class of mixers that read a sequence from its first token to its last. Whole sequences and
 * pieces of them go through the same method, which continues a state if there is one.
 *
 * <p>Padded tokens count as zeros. Position encodings that act on queries, keys or logits have no
 * effect here; those that are added to embeddings work as usual.
 */
abstract class RecurrentMixer extends TokenMixer {
  /**
   * Checks that tokens need earlier ones only.
   *
   * @throws IllegalArgumentException if the model is not causal
   */
  RecurrentMixer(BlockContext context) {
    requireCausal(this, context);
  }

  /** For mixers that can look both ways. */
  RecurrentMixer() {}

  static void requireCausal(TokenMixer mixer, BlockContext context) {
    if (!context.causal()) {
      throw new IllegalArgumentException(
          mixer.getClass().getSimpleName()
              + " sees earlier tokens only: expected a causal model, got a bidirectional one");
    }
  }

  /**
   * Mixes tokens in float32 or float64.
   *
   * @param x [B, T, D]
   * @param state what earlier tokens left, to be updated; null for whole sequences
   * @return [B, T, E], what the output layers take
   */
  abstract Tensor mix(Tensor x, RecurrentState state);

  /** What comes before the recurrence; products with weights that may run in bf16. */
  Tensor before(Tensor x) {
    return x;
  }

  /** The output layers: [B, T, E] to [B, T, D]. */
  abstract Tensor after(Tensor mixed);

  private Tensor run(Tensor x, RecurrentState state) {
    Tensor source = before(x);
    Tensor mixed;
    try (Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor precise = source.dtype() == DType.FLOAT64 ? source : source.to(DType.FLOAT32);
      mixed = Scope.tidy(() -> mix(precise, state));
    }
    return after(mixed);
  }

  @Override
  public final Tensor forward(Tensor x, Tensor paddingMask) {
    return run(paddingMask == null ? x : x.maskedFill(paddingMask.not().unsqueeze(2), 0), null);
  }

  @Override
  public final Tensor step(Tensor x, State state) {
    RecurrentState memory = (RecurrentState) state;
    Tensor result = run(x, memory);
    memory.advance(x.size(1));
    return result;
  }
}
