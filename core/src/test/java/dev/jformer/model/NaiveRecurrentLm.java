package dev.jformer.model;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A recurrent language model of one pre-norm block, on one sequence: written in plain loops over
 * float64 numbers. Keys and values of the state stand in front of the tokens' in attention.
 */
final class NaiveRecurrentLm {
  private final RecurrentLm.Config config;
  private final Weights weights;
  private final int heads;
  private final int groups;
  private final NaiveAttention.Rotation rotation;
  private final NaiveAttention.Bias bias;

  NaiveRecurrentLm(
      RecurrentLm model,
      int heads,
      int groups,
      NaiveAttention.Rotation rotation,
      NaiveAttention.Bias bias) {
    this.config = model.config();
    this.weights = Weights.of(model);
    this.heads = heads;
    this.groups = groups;
    this.rotation = rotation;
    this.bias = bias;
  }

  /** Logits [T][V] of a sequence of any length. */
  double[][] logits(long... ids) {
    List<double[]> all = new ArrayList<>();
    double[] state = null;
    for (int from = 0; from < ids.length; from += config.window()) {
      long[] window = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + config.window()));
      double[][] hidden = hidden(window, state);
      all.addAll(List.of(Loops.linear(hidden, weights.matrix("embedding.weight"), null)));
      state = next(hidden, state);
    }
    return all.toArray(double[][]::new);
  }

  private double[][] hidden(long[] ids, double[] state) {
    double[][] x = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      x[t] = weights.matrix("embedding.weight")[(int) ids[t]].clone();
    }
    double[][] mixed = attention(norm(x, "blocks.0.mixerNorm"), state);
    x = Loops.add(x, mixed);
    x = Loops.add(x, NaiveGpt.mlp(norm(x, "blocks.0.ffnNorm"), weights, "blocks.0.ffn."));
    return norm(x, "norm");
  }

  private double[][] norm(double[][] x, String name) {
    return Loops.layerNorm(
        x, weights.vector(name + ".weight"), weights.vector(name + ".bias"), 1e-5);
  }

  private double[][] attention(double[][] x, double[] state) {
    double[][] qkv = Loops.linear(x, weights, "blocks.0.mixer.qkv");
    int d = qkv[0].length / (heads + 2 * groups);
    int slots = state == null ? 0 : config.recurrence().slots();
    double[] emitted =
        state == null
            ? new double[0]
            : Loops.linear(new double[][] {state}, weights, "recurrence.emit")[0];
    double[][] mixed = new double[x.length][heads * d];
    for (int h = 0; h < heads; h++) {
      int group = h / (heads / groups);
      for (int t = 0; t < x.length; t++) {
        double[] query = rotation.apply(Arrays.copyOfRange(qkv[t], h * d, (h + 1) * d), t);
        double[] logits = new double[slots + t + 1];
        double[][] values = new double[slots + t + 1][];
        for (int m = 0; m < slots; m++) {
          int at = (group * slots + m) * d;
          double[] key = Arrays.copyOfRange(emitted, at, at + d);
          values[m] =
              Arrays.copyOfRange(emitted, groups * slots * d + at, groups * slots * d + at + d);
          logits[m] = dot(query, key) / Math.sqrt(d) + bias.of(h, slots + t, m);
        }
        for (int s = 0; s <= t; s++) {
          int at = (heads + group) * d;
          double[] key = rotation.apply(Arrays.copyOfRange(qkv[s], at, at + d), s);
          values[slots + s] = Arrays.copyOfRange(qkv[s], at + groups * d, at + groups * d + d);
          logits[slots + s] = dot(query, key) / Math.sqrt(d) + bias.of(h, slots + t, slots + s);
        }
        double[] p = Loops.softmax(logits);
        for (int s = 0; s < p.length; s++) {
          for (int i = 0; i < d; i++) {
            mixed[t][h * d + i] += p[s] * values[s][i];
          }
        }
      }
    }
    return Loops.linear(mixed, weights, "blocks.0.mixer.out");
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private double[] next(double[][] hidden, double[] before) {
    double[] pooled = new double[hidden[0].length];
    for (int i = 0; i < pooled.length; i++) {
      for (double[] token : hidden) {
        pooled[i] += token[i] / hidden.length;
      }
    }
    if (config.recurrence().pooling() == RecurrenceConfig.Pooling.LAST) {
      pooled = hidden[hidden.length - 1];
    }
    double[] seen = linear(pooled, "read");
    if (config.recurrence().update() == RecurrenceConfig.Update.FEED_FORWARD) {
      return linear(Arrays.stream(seen).map(Loops::gelu).toArray(), "inner");
    }
    double[] state = before == null ? new double[seen.length] : before;
    double[] both = Arrays.copyOf(pooled, pooled.length + state.length);
    System.arraycopy(state, 0, both, pooled.length, state.length);
    double[] gates = linear(both, "gates");
    double[] inner = linear(state, "inner");
    double[] next = new double[state.length];
    for (int i = 0; i < state.length; i++) {
      double fresh = Math.tanh(seen[i] + Loops.sigmoid(gates[i]) * inner[i]);
      double kept = Loops.sigmoid(gates[state.length + i]);
      next[i] = (1 - kept) * fresh + kept * state[i];
    }
    return next;
  }

  private double[] linear(double[] x, String name) {
    return Loops.linear(new double[][] {x}, weights, "recurrence." + name)[0];
  }
}
