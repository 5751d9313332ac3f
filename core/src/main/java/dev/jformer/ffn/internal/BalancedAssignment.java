package dev.jformer.ffn.internal;

import java.util.Arrays;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Assigns an expert to each token so that no expert has more than an equal share, rounded up, and
 * the sum of scores is maximal.
 *
 * <p>BASE layers (<a href="https://arxiv.org/abs/2103.16716">BASE Layers: Simplifying Training of
 * Large, Sparse Models</a>) solve this by an auction, which is exact up to a tolerance. Here tokens
 * start at the expert with their highest score; as long as an expert has too many, tokens are moved
 * along the cheapest chain of experts that ends at one with room. With few experts there are few
 * chains to compare, and the result is exact.
 */
public final class BalancedAssignment {
  private final double[][] scores;
  private final int experts;
  private final int[] chosen;
  private final int[] counts;
  private final double rounding;

  /**
   * For each pair of experts, the tokens of the first, ordered by the cost of moving to the second.
   */
  private final PriorityQueue<Move>[][] moves;

  /** A possible move of a token to another expert, and its cost in score. */
  private record Move(int token, double cost) {}

  private BalancedAssignment(double[][] scores, int experts) {
    this.scores = scores;
    this.experts = experts;
    this.chosen = new int[scores.length];
    this.counts = new int[experts];
    @SuppressWarnings({"unchecked", "rawtypes"})
    PriorityQueue<Move>[][] queues = new PriorityQueue[experts][experts];
    for (PriorityQueue<Move>[] row : queues) {
      for (int to = 0; to < experts; to++) {
        row[to] =
            new PriorityQueue<>(Comparator.comparingDouble(Move::cost).thenComparing(Move::token));
      }
    }
    this.moves = queues;
    double largest =
        Arrays.stream(scores).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
    this.rounding = 1e-12 * largest;
  }

  /**
   * Computes the expert of each token.
   *
   * @param scores finite, [n][N]
   */
  public static int[] of(double[][] scores, int experts) {
    BalancedAssignment assignment = new BalancedAssignment(scores, experts);
    assignment.greedily();
    assignment.balance();
    return assignment.chosen;
  }

  private void greedily() {
    for (int token = 0; token < scores.length; token++) {
      int best = 0;
      for (int e = 1; e < experts; e++) {
        if (scores[token][e] > scores[token][best]) {
          best = e;
        }
      }
      place(token, best);
    }
  }

  private void place(int token, int expert) {
    chosen[token] = expert;
    counts[expert]++;
    for (int to = 0; to < experts; to++) {
      if (to != expert) {
        moves[expert][to].add(new Move(token, scores[token][expert] - scores[token][to]));
      }
    }
  }

  /** Moves tokens until no expert has more than its share. */
  private void balance() {
    int share = (scores.length + experts - 1) / experts;
    while (Arrays.stream(counts).anyMatch(count -> count > share)) {
      shift(share);
    }
  }

  /** Moves one token from an expert with too many to one with room, at the least cost. */
  private void shift(int share) {
    double[] cost = new double[experts];
    int[] from = new int[experts];
    Arrays.fill(cost, Double.POSITIVE_INFINITY);
    Arrays.fill(from, -1);
    for (int e = 0; e < experts; e++) {
      if (counts[e] > share) {
        cost[e] = 0;
      }
    }
    double[][] least = new double[experts][experts];
    for (int a = 0; a < experts; a++) {
      for (int b = 0; b < experts; b++) {
        least[a][b] = a == b ? Double.POSITIVE_INFINITY : cheapest(a, b);
      }
    }
    for (int round = 1; round < experts; round++) {
      boolean changed = false;
      for (int a = 0; a < experts; a++) {
        for (int b = 0; b < experts; b++) {
          // Rounding errors must not create a cycle.
          if (cost[a] + least[a][b] < cost[b] - rounding) {
            cost[b] = cost[a] + least[a][b];
            from[b] = a;
            changed = true;
          }
        }
      }
      if (!changed) {
        break;
      }
    }
    int end = -1;
    for (int e = 0; e < experts; e++) {
      if (counts[e] < share && (end < 0 || cost[e] < cost[end])) {
        end = e;
      }
    }
    for (int to = end; from[to] >= 0; to = from[to]) {
      Move move = moves[from[to]][to].peek();
      counts[from[to]]--;
      place(move.token(), to);
    }
  }

  private double cheapest(int from, int to) {
    PriorityQueue<Move> queue = moves[from][to];
    // Tokens that have moved since are still queued.
    while (!queue.isEmpty() && chosen[queue.peek().token()] != from) {
      queue.remove();
    }
    return queue.isEmpty() ? Double.POSITIVE_INFINITY : queue.peek().cost();
  }
}
