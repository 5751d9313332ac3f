package dev.jformer.model.interleaved;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/**
 * FIT over whole sequences in plain loops: no token is moved into a group; instead, each layer is
 * told which pairs of tokens and latents may see each other.
 *
 * @param padded number of tokens at the end that are padding
 */
record NaiveFit(FarReaching.Config config, boolean causal, int heads, int padded) implements Naive {
  private static final double EPSILON = 1e-5;

  private interface Pairs {
    boolean sees(int query, int key);
  }

  @Override
  public double[][] forward(double[][] x, Weights w) {
    int n = config.group();
    int m = config.latents();
    int real = x.length - padded;
    int groups = (x.length + n - 1) / n;
    double[][] place = w.matrix("position.weight");
    double[][] tokens = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      tokens[t] = sum(x[t], place[t % n]);
    }
    double[][] first = w.matrix("latents");
    double[][] ofGroup = w.matrix("latentPosition.weight");
    double[][] latents = new double[groups * m][];
    for (int i = 0; i < latents.length; i++) {
      // The latents of a causal sequence's last group are read by nobody, and have no position.
      latents[i] = i < ofGroup.length ? sum(first[i % m], ofGroup[i]) : first[i % m].clone();
    }
    Pairs near = (q, k) -> q / n == k / n && k < real && (!causal || k <= q);
    Pairs far = (q, k) -> (k / m * n < real || q / m == k / m) && (!causal || k / m <= q / m);
    int stage = 0;
    for (Layout.Stage each : Layout.of(config.layout()).stages()) {
      String at = "stages." + stage++ + ".";
      for (int i = 0; i < each.local(); i++) {
        tokens = block(tokens, near, w, at + "local." + i, config.local().heads());
      }
      if (each.global() > 0) {
        latents = exchange(latents, tokens, (q, k) -> q / m == k / n && k < real, w, at + "read");
        for (int i = 0; i < each.global(); i++) {
          latents = block(latents, far, w, at + "global." + i, config.latentHeads());
        }
        double[][] seen = latents;
        Pairs own = (q, k) -> q / n == k / m;
        if (causal) {
          seen = new double[latents.length][latents[0].length];
          System.arraycopy(latents, 0, seen, m, latents.length - m);
        }
        tokens = exchange(tokens, seen, own, w, at + "write");
      }
    }
    double[][] added = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      added[t] = tokens[t].clone();
      for (int i = 0; i < added[t].length; i++) {
        added[t][i] -= x[t][i];
      }
    }
    return added;
  }

  private static double[] sum(double[] a, double[] b) {
    double[] c = a.clone();
    for (int i = 0; i < c.length; i++) {
      c[i] += b[i];
    }
    return c;
  }

  private static double[][] normed(double[][] x, Weights w, String name) {
    return Loops.layerNorm(x, w.vector(name + ".weight"), w.vector(name + ".bias"), EPSILON);
  }

  private static double[][] block(double[][] x, Pairs pairs, Weights w, String at, int heads) {
    double[][] qkv = Loops.linear(normed(x, w, at + ".mixerNorm"), w, at + ".mixer.qkv");
    int width = qkv[0].length / 3;
    double[][] taken =
        attend(
            Loops.columns(qkv, 0, width),
            Loops.columns(qkv, width, 2 * width),
            Loops.columns(qkv, 2 * width, 3 * width),
            pairs,
            heads);
    double[][] h = Loops.add(x, Loops.linear(taken, w, at + ".mixer.out"));
    double[][] up = Loops.linear(normed(h, w, at + ".ffnNorm"), w, at + ".ffn.up");
    return Loops.add(h, Loops.linear(Loops.map(up, Loops::gelu), w, at + ".ffn.down"));
  }

  private double[][] exchange(double[][] x, double[][] memory, Pairs pairs, Weights w, String at) {
    double[][] query = Loops.linear(normed(x, w, at + ".norm"), w, at + ".attention.query");
    double[][] both =
        Loops.linear(normed(memory, w, at + ".memoryNorm"), w, at + ".attention.keyValue");
    int width = query[0].length;
    double[][] taken =
        attend(
            query,
            Loops.columns(both, 0, width),
            Loops.columns(both, width, 2 * width),
            pairs,
            heads);
    return Loops.add(x, Loops.linear(taken, w, at + ".attention.out"));
  }

  private static double[][] attend(
      double[][] query, double[][] key, double[][] value, Pairs pairs, int heads) {
    int width = query[0].length;
    int d = width / heads;
    double[][] result = new double[query.length][width];
    for (int head = 0; head < heads; head++) {
      for (int q = 0; q < query.length; q++) {
        double[] logits = new double[key.length];
        for (int k = 0; k < key.length; k++) {
          logits[k] = Double.NEGATIVE_INFINITY;
          if (pairs.sees(q, k)) {
            logits[k] = 0;
            for (int i = head * d; i < (head + 1) * d; i++) {
              logits[k] += query[q][i] * key[k][i] / Math.sqrt(d);
            }
          }
        }
        double[] share = Loops.softmax(logits);
        for (int k = 0; k < key.length; k++) {
          for (int i = head * d; i < (head + 1) * d; i++) {
            result[q][i] += share[k] * value[k][i];
          }
        }
      }
    }
    return result;
  }
}
