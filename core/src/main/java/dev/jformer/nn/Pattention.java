package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Token-parameter attention (Pattention) of <a href="https://arxiv.org/abs/2410.23168">TokenFormer:
 * Rethinking Transformer Scaling with Tokenized Model Parameters</a>, in the place of a linear map.
 * It computes Θ(x Kᵀ) V with n parameter tokens, keys K [n, in] and values V [n, out]. Θ divides
 * the scores of each token by their length, multiplies them by √n and applies GELU. No softmax and
 * no bias.
 *
 * <p>It can grow: parameter tokens whose keys are zero have zero scores and change nothing, as long
 * as the factor √n stays that of the initial number of tokens. So n is the initial number, and a
 * layer has {@code growth} times as many tokens.
 */
public final class Pattention extends Layer {
  /** Keeps the result finite for a token whose scores are all zero. */
  private static final double EPSILON = 1e-12;

  /**
   * The projection whose layers are Pattentions. A map to a multiple of the width, as for queries,
   * keys and values, consists of that many Pattentions side by side, as in the paper.
   *
   * @param tokens initial number of parameter tokens, as a multiple of the input width
   * @param growth factor by which their number has grown since; see {@code jformer grow}
   */
  @AutoService(Projection.class)
  public record Config(double tokens, int growth) implements Projection, GrowingPart {
    /** Defaults: as many tokens as the width, which gives twice the weights of a linear map. */
    public Config() {
      this(1, 1);
    }

    /** Checks the values. */
    public Config {
      Checks.moreThan("tokens", tokens, 0);
      Checks.atLeast("growth", growth, 1);
    }

    @Override
    public Config grown(int times) {
      return new Config(tokens, Math.multiplyExact(growth, times));
    }

    @Override
    public String type() {
      return "tokenformer";
    }

    @Override
    public Pattention build(long in, long out, boolean bias, Initializer initializer) {
      long first = Math.max(1, Math.round(tokens * in));
      return new Pattention(in, out, first, growth, initializer);
    }
  }

  private final long groups;
  private final long first;
  private final Parameter keys;
  private final Parameter values;

  /**
   * Creates a layer.
   *
   * @param first n, the initial number of parameter tokens
   * @param growth factor by which their number has grown
   * @param initializer makes keys and values
   */
  public Pattention(long in, long out, long first, int growth, Initializer initializer) {
    this.groups = out > in && out % in == 0 ? out / in : 1;
    this.first = first;
    long count = first * growth;
    this.keys = parameter("keys", initializer.create(groups, count, in));
    this.values = parameter("values", initializer.create(groups, count, out / groups));
  }

  @Override
  public Tensor forward(Tensor x) {
    if (groups == 1) {
      return one(x, keys.value().squeeze(0), values.value().squeeze(0));
    }
    Tensor[] parts = new Tensor[(int) groups];
    for (int g = 0; g < groups; g++) {
      parts[g] = one(x, keys.value().select(0, g), values.value().select(0, g));
    }
    return Tensor.cat(x.rank() - 1, parts);
  }

  private Tensor one(Tensor x, Tensor key, Tensor value) {
    Tensor scores = Functional.linear(x, key, null);
    Tensor scale = scores.square().sum(-1, true).add(EPSILON).rsqrt();
    Tensor weights = Functional.gelu(scores.mul(scale.mul(Math.sqrt((double) first))));
    return weights.matmul(value.to(weights.dtype()));
  }

  /**
   * Copies a smaller layer: its tokens come first, and the keys of the others become zero, so that
   * both layers compute the same. The values of the others stay as drawn.
   *
   * @throws IllegalArgumentException if it is not a smaller form of this layer
   */
  public void growFrom(Pattention smaller) {
    long old = smaller.keys.value().size(1);
    long now = keys.value().size(1);
    if (smaller.first != first || smaller.groups != groups || old > now) {
      throw new IllegalArgumentException(
          "a layer of "
              + old
              + " parameter tokens that began with "
              + smaller.first
              + " does not grow into one of "
              + now
              + " that began with "
              + first);
    }
    Tensor key = keys.value().detach();
    key.zero_();
    key.narrow(1, 0, old).copy_(smaller.keys.value().detach());
    values.value().detach().narrow(1, 0, old).copy_(smaller.values.value().detach());
  }
}
