package dev.jformer.mixer.extractor;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.TokenHistory;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/**
 * Base class of the Extractors of <a href="https://arxiv.org/abs/2308.07661">Attention Is Not All
 * You Need Anymore</a>. They stand in for causal self-attention and compare no token with another.
 * Two steps lead from tokens x to outputs y:
 *
 * <pre>
 * extraction   e[t] = 1/√t · Σ_{j &lt; t} w[j] ∘ x[t-j]      t = 1, 2, …, l
 * adjustment   y[t] = O (e[t] ⊙ (A x[t] + a)) + o
 * </pre>
 *
 * The extraction weights w depend only on the distance j; the Extractors differ in what w and ∘
 * are. The adjustment is an element-wise product with a linear map of the current token. Tokens at
 * position t use the first t weights, so that sequences of any length up to l, the model's length,
 * can be mixed.
 *
 * <p>These details are our choice, as only the published summary of the paper was available:
 *
 * <ul>
 *   <li>The normaliser that depends on the length is 1/√t, which keeps the size of sums of t
 *       independent terms. There is no bias for each length.
 *   <li>As in attention, all of them end with an output layer O that writes into the residual
 *       stream. A and O have biases if the model's linear layers have.
 *   <li>Extraction weights start normal with mean 0 and variance 1 / (number of channels in a sum),
 *       so that e starts as large as x.
 *   <li>Padded tokens contribute nothing and are not counted in t; distances are those of positions
 *       in the sequence. So padding before a sequence does not change its result.
 * </ul>
 *
 * Position encodings that act on queries, keys or logits have no effect here, but extraction
 * weights know distances anyway. Encodings that are added to the embeddings work as usual.
 */
abstract class Extractor extends TokenMixer {
  private final int length;
  private final Slot<Layer> adjust;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  /**
   * Declares the layers {@code adjust}, {@code out} and {@code dropout}.
   *
   * @throws IllegalArgumentException if the model is not causal
   */
  Extractor(BlockContext context) {
    if (!context.causal()) {
      throw new IllegalArgumentException(
          getClass().getSimpleName()
              + " sees earlier tokens only: expected a causal model, got a bidirectional one");
    }
    this.length = context.length();
    this.adjust = child("adjust", Layer.class, context.linear(context.width(), context.width()));
    this.out = child("out", Layer.class, context.residual(context.width(), context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /** The terms of the sums, a map of each token: [B, T, D] to [B, T, D]. */
  Tensor source(Tensor x) {
    return x;
  }

  /** The unnormalised sums for all tokens of whole sequences: [B, T, D]. */
  abstract Tensor extract(Tensor sources);

  /**
   * The unnormalised sum for the newest token.
   *
   * @param sources [B, t, D], newest first
   * @return [B, D]
   */
  abstract Tensor extractNewest(Tensor sources);

  /** The weights of the first t distances. */
  static Tensor first(Parameter weights, long t) {
    return weights.value().narrow(0, 0, t);
  }

  @Override
  public final Tensor forward(Tensor x, Tensor paddingMask) {
    check(x.size(1));
    Tensor sources = source(x);
    Tensor counts;
    if (paddingMask == null) {
      counts = counts(0, x.size(1));
    } else {
      sources = sources.maskedFill(paddingMask.not().unsqueeze(2), 0);
      counts = paddingMask.to(DType.FLOAT64).cumsum(1).clamp(1, length).unsqueeze(2);
    }
    return adjust(extract(sources), counts, x);
  }

  @Override
  public final State start(long batch, long capacity) {
    return new TokenHistory(batch, Math.min(capacity, length));
  }

  @Override
  public final Tensor step(Tensor x, State state) {
    TokenHistory past = (TokenHistory) state;
    long before = past.length();
    long added = x.size(1);
    check(before + added);
    Tensor sources = source(x);
    past.append(sources);
    return adjust(
        before == 0 ? extract(sources) : extractLast(past, added), counts(before, added), x);
  }

  private Tensor extractLast(TokenHistory past, long tokens) {
    Tensor[] sums = new Tensor[Math.toIntExact(tokens)];
    try (Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      for (int i = 0; i < sums.length; i++) {
        sums[i] = extractNewest(past.newestFirst(past.length() - tokens + i + 1));
      }
    }
    return Tensor.stack(1, sums);
  }

  private Tensor adjust(Tensor sums, Tensor counts, Tensor x) {
    Tensor extracted = sums.mul(counts.pow(-0.5).to(sums.dtype()));
    return dropout.get().forward(out.get().forward(extracted.mul(adjust.get().forward(x))));
  }

  /** Number of terms of the sums at positions from {@code start} on: [T, 1]. */
  private static Tensor counts(long start, long tokens) {
    return Tensor.arange(start + 1, start + tokens + 1).to(DType.FLOAT64).unsqueeze(1);
  }

  private void check(long tokens) {
    if (tokens > length) {
      throw new IllegalArgumentException(
          "a sequence of "
              + tokens
              + " tokens is longer than the "
              + length
              + " distances that "
              + getClass().getSimpleName()
              + " has weights for: shorten it, or build the model with a greater length");
    }
  }
}
