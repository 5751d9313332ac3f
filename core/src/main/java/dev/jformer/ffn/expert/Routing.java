package dev.jformer.ffn.expert;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A routing of tokens to experts: pairs of a token and an expert, and their weights. Pairs of one
 * expert are adjacent, so that each expert computes only on its own tokens, in one piece.
 */
public final class Routing {
  private final long tokens;
  private final long[] wanted;
  private final long[] counts;
  private final Tensor order;
  private final Tensor places;
  private final long each;
  private final Tensor weights;
  private Tensor probabilities;

  /**
   * Creates a routing.
   *
   * @param tokens n, the number of tokens
   * @param wanted number of tokens for which each expert was chosen
   * @param counts number of tokens each expert works on
   * @param order int64 [P], the token of each pair; null for all tokens in their order
   * @param places int64 [n k], indices of the k pairs of each token; null if their number varies
   * @param each k, pairs for each token; 0 if it varies
   * @param weights one for each pair: [n, k] if every token has k, else [P]; null for 1
   */
  private Routing(
      long tokens,
      long[] wanted,
      long[] counts,
      Tensor order,
      Tensor places,
      long each,
      Tensor weights) {
    this.tokens = tokens;
    this.wanted = wanted;
    this.counts = counts;
    this.order = order;
    this.places = places;
    this.each = each;
    this.weights = weights;
  }

  /** Routes all n tokens to one expert. */
  static Routing single(int experts, int expert, long tokens) {
    long[] counts = new long[experts];
    counts[expert] = tokens;
    return new Routing(tokens, counts, counts, null, null, 1, null);
  }

  /**
   * Routes each token to k experts.
   *
   * @param chosen int64 [n, k], different ones in a row
   * @param weights [n, k]; null for 1
   */
  static Routing of(int experts, Tensor chosen, Tensor weights) {
    return of(experts, chosen, weights, Long.MAX_VALUE);
  }

  /**
   * Routes each token to k experts; pairs beyond an expert's capacity are dropped, later tokens
   * first.
   *
   * @param capacity the most tokens an expert takes
   */
  static Routing of(int experts, Tensor chosen, Tensor weights, long capacity) {
    long n = chosen.size(0);
    int k = Math.toIntExact(chosen.size(1));
    long[] flat = chosen.toLongs();
    long[] wanted = new long[experts];
    for (long expert : flat) {
      wanted[(int) expert]++;
    }
    long[] counts = Arrays.stream(wanted).map(count -> Math.min(count, capacity)).toArray();
    int[] next = new int[experts];
    for (int e = 1; e < experts; e++) {
      next[e] = next[e - 1] + (int) counts[e - 1];
    }
    int pairs = Math.toIntExact(Arrays.stream(counts).sum());
    long[] order = new long[pairs];
    long[] taken = new long[pairs];
    long[] places = new long[flat.length];
    long[] got = new long[experts];
    for (int pair = 0; pair < flat.length; pair++) {
      int expert = (int) flat[pair];
      if (got[expert]++ < capacity) {
        int place = next[expert]++;
        order[place] = pair / k;
        taken[place] = pair;
        places[pair] = place;
      }
    }
    if (pairs == flat.length) {
      return new Routing(n, wanted, counts, Tensor.of(order), Tensor.of(places), k, weights);
    }
    Tensor kept = weights == null ? null : weights.flatten(0, 1).indexSelect(0, Tensor.of(taken));
    return new Routing(n, wanted, counts, Tensor.of(order), null, 0, kept);
  }

  /**
   * Routes each token to the experts that a mask selects.
   *
   * @param mask bool [n, N]
   * @param weights [n, N]; null for 1
   */
  static Routing where(Tensor mask, Tensor weights) {
    long n = mask.size(0);
    int experts = Math.toIntExact(mask.size(1));
    Tensor places = mask.t().contiguous().flatten(0, 1).nonzero().squeeze(1);
    long[] counts = new long[experts];
    for (long place : places.toLongs()) {
      counts[(int) (place / n)]++;
    }
    Tensor chosen =
        weights == null ? null : weights.t().contiguous().flatten(0, 1).indexSelect(0, places);
    return new Routing(n, counts, counts, places.remainder(n), null, 0, chosen);
  }

  /** Records the gate's probabilities [n, N] of experts for each token. */
  Routing withProbabilities(Tensor distribution) {
    this.probabilities = distribution;
    return this;
  }

  /**
   * Runs the experts on their tokens and adds up their weighted results; zero for a token without
   * expert.
   *
   * @param x [n, D]
   * @return [n, D]
   */
  Tensor run(Tensor x, List<Slot<ChannelMixer>> experts) {
    return run(x, (e, some) -> experts.get(e).get().forward(some));
  }

  /** The computation of an expert on its tokens. */
  @FunctionalInterface
  interface Work {
    /** Computes expert number {@code expert} on tokens [m, D]. */
    Tensor of(int expert, Tensor tokens);
  }

  /** Runs experts that are not modules. */
  Tensor run(Tensor x, Work work) {
    if (order == null) {
      int only = IntStream.range(0, counts.length).filter(e -> counts[e] > 0).findAny().orElse(0);
      return work.of(only, x);
    }
    if (pairs() == 0) {
      return x.mul(0.0);
    }
    Tensor sorted = x.indexSelect(0, order);
    int[] busy = IntStream.range(0, counts.length).filter(e -> counts[e] > 0).toArray();
    long[] sizes = Arrays.stream(busy).mapToLong(e -> counts[e]).toArray();
    List<Tensor> parts = sorted.split(0, sizes);
    List<Tensor> results = new ArrayList<>();
    for (int i = 0; i < busy.length; i++) {
      results.add(work.of(busy[i], parts.get(i)));
    }
    Tensor made =
        results.size() == 1 ? results.get(0) : Tensor.cat(0, results.toArray(Tensor[]::new));
    return places == null ? added(made) : joined(made);
  }

  private Tensor joined(Tensor made) {
    Tensor all = made.indexSelect(0, places).view(tokens, each, -1);
    Tensor sum = null;
    // A product and a sum for each of the few pairs is faster than one product of small matrices.
    for (int i = 0; i < each; i++) {
      Tensor one = all.select(1, i);
      Tensor weighted = weights == null ? one : one.mul(weights.narrow(1, i, 1));
      sum = sum == null ? weighted : sum.add(weighted);
    }
    return sum;
  }

  private Tensor added(Tensor made) {
    Tensor weighted = weights == null ? made : made.mul(weights.unsqueeze(1));
    return Tensor.zeros(weighted.dtype(), tokens, weighted.size(1)).indexAdd_(0, order, weighted);
  }

  /** Number of experts. */
  public int experts() {
    return counts.length;
  }

  /** The number n of tokens. */
  public long tokens() {
    return tokens;
  }

  /** Number of tokens that each expert works on. */
  public long[] counts() {
    return counts.clone();
  }

  /** Number of tokens for which each expert was chosen, including those beyond its capacity. */
  public long[] wanted() {
    return wanted.clone();
  }

  /** Number of pairs of a token and an expert that works on it. */
  public long pairs() {
    return Arrays.stream(counts).sum();
  }

  /** Number of pairs that were dropped because capacity was exceeded. */
  public long dropped() {
    return Arrays.stream(wanted).sum() - pairs();
  }

  /** The share of all chosen pairs that each expert has. */
  double[] shares() {
    double all = Math.max(1, Arrays.stream(wanted).sum());
    return Arrays.stream(wanted).mapToDouble(count -> count / all).toArray();
  }

  /** Whether the gate has given probabilities of experts. */
  public boolean hasProbabilities() {
    return probabilities != null;
  }

  /**
   * Mean over the tokens of the entropy of the gate's probabilities, in nats; NaN if it has given
   * none.
   */
  public double entropy() {
    if (probabilities == null || tokens == 0) {
      return Double.NaN;
    }
    try (Mode mode = Autograd.noGrad()) {
      Tensor p = probabilities.detach().to(DType.FLOAT32);
      return -p.mul(p.clamp(1e-30, 1).log()).sum().item() / tokens;
    }
  }
}
