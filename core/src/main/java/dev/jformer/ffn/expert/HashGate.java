package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * A hash layer's gate (<a href="https://arxiv.org/abs/2106.04426">Hash Layers For Large Sparse
 * Models</a>): a word always goes to the same expert, drawn at random once. Nothing is learned. The
 * paper draws a table; here the function ((a id + b) mod p) mod N, whose numbers depend on the
 * seed, the layer and N, needs no table and works with every vocabulary.
 */
public final class HashGate extends Gate {
  private static final long PRIME = 2_147_483_647L;

  /**
   * Configuration.
   *
   * @param seed of the function; layers have different ones
   */
  @AutoService(Gate.Config.class)
  public record Config(long seed) implements Gate.Config {
    /** Default: seed 1. */
    public Config() {
      this(1);
    }

    @Override
    public String type() {
      return "hash";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new HashGate(this, context, experts);
    }
  }

  private final int experts;
  private final long a;
  private final long b;

  HashGate(Config config, BlockContext context, int experts) {
    SplittableRandom random = new SplittableRandom(31 * config.seed() + context.layer());
    this.experts = experts;
    this.a = random.nextLong(1, PRIME);
    this.b = random.nextLong(PRIME);
  }

  @Override
  Routing route(RoutedRows rows) {
    return Routing.of(experts, expert(rows.ids("hash")).unsqueeze(1), null);
  }

  /** The expert of each word: int64 [...] to int64 [...]. */
  Tensor expert(Tensor ids) {
    return ids.mul(a).add(b).remainder(PRIME).remainder((long) experts);
  }
}
