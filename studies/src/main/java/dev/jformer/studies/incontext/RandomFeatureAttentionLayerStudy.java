package dev.jformer.studies.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.incontext.RandomFeatureAttention;
import dev.jformer.incontext.RandomFeatureNetwork;
import dev.jformer.incontext.RidgeRegression;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What attention with random queries and keys learns from how many samples (<a
 * href="https://arxiv.org/abs/2307.11353">What can a Single Attention Layer Learn? A Study Through
 * the Random Features Lens</a>): beside a network of random features with as many weights, on
 * averages over keys and on correlations of query and keys.
 */
@AutoService(Study.class)
public final class RandomFeatureAttentionLayerStudy implements Study {
  private static final String ATTENTION = "random attention";
  private static final String BIASED = "biased random attention";
  private static final String NETWORK = "random network";
  private static final int KEYS = 16;
  private static final int DIMENSIONS = 8;
  private static final List<Double> PENALTIES = List.of(1e-9, 1e-7, 1e-5, 1e-3, 1e-1);

  /** Test errors, as shares of the target's variance, by the number of samples. */
  public record Risks(List<Double> risks, List<Double> penalties) {
    double last() {
      return risks.get(risks.size() - 1);
    }

    double first() {
      return risks.get(0);
    }
  }

  /** Targets of inputs [n, N+1, d], given a direction [d]. */
  private interface Target {
    Tensor of(Tensor tokens, Tensor direction);
  }

  private static final Map<String, Target> TARGETS = new LinkedHashMap<>();

  static {
    TARGETS.put("average of squares", (x, b) -> along(keys(x), b).square().mean(1, false));
    TARGETS.put("average of cubes", (x, b) -> along(keys(x), b).pow(3).mean(1, false));
    TARGETS.put("correlation", (x, b) -> similarity(x).mul(along(keys(x), b)).mean(1, false));
    TARGETS.put(
        "correlation of squares",
        (x, b) -> similarity(x).square().mul(along(keys(x), b)).mean(1, false));
  }

  private static Tensor keys(Tensor tokens) {
    return tokens.narrow(1, 1, tokens.size(1) - 1);
  }

  private static Tensor along(Tensor keys, Tensor direction) {
    return keys.matmul(direction.unsqueeze(1)).squeeze(2);
  }

  /** Products of the query and the keys, [n, N]. */
  private static Tensor similarity(Tensor tokens) {
    return keys(tokens).matmul(tokens.narrow(1, 0, 1).transpose(1, 2)).squeeze(2);
  }

  @Override
  public void run(ExperimentContext lab) {
    int heads = lab.pick(10, 200, 1000);
    List<Integer> samples =
        lab.pick(
            List.of(32, 64),
            List.of(128, 256, 512, 1024, 2048, 4096),
            List.of(256, 512, 1024, 2048, 4096, 8192, 16384));
    Map<String, Measured<Risks>> all = new LinkedHashMap<>();
    TARGETS.forEach((name, target) -> all.put(name, measured(lab, name, target, heads, samples)));
    claims(lab, all, samples.get(samples.size() - 1));
    all.forEach((name, runs) -> report(lab, name, runs, samples));
    lab.note(
        "Queries and %d keys from the unit sphere of %d dimensions; targets are scaled to variance"
            + " 1. Attention has %d heads and %d weights that are learned, the network as many, on"
            + " all tokens of an input in a row. The penalty is the best of %s on half of 2,000"
            + " further inputs; the error is that on the other half, as a share of the target's"
            + " variance.",
        KEYS, DIMENSIONS, heads, heads * (DIMENSIONS + 1), PENALTIES);
  }

  private static Measured<Risks> measured(
      ExperimentContext lab, String name, Target target, int heads, List<Integer> samples) {
    int weights = heads * (DIMENSIONS + 1);
    Map<String, Function<Long, Function<Tensor, Tensor>>> models = new LinkedHashMap<>();
    models.put(ATTENTION, seed -> attention(heads, false, seed));
    models.put(BIASED, seed -> attention(heads, true, seed));
    models.put(
        NETWORK,
        seed -> {
          RandomFeatureNetwork network =
              RandomFeatureNetwork.rectified(weights, (KEYS + 1) * DIMENSIONS, seed);
          return x -> network.features(x.reshape(x.size(0), -1));
        });
    return Arms.of(ATTENTION, models.get(ATTENTION))
        .arm(BIASED, models.get(BIASED))
        .control(NETWORK, models.get(NETWORK))
        .learn(
            lab,
            name,
            lab.pick(1, 3, 5),
            model ->
                Trial.of(
                    Risks.class,
                    session -> risks(target, model.apply(session.seed()), samples, session)));
  }

  private static Function<Tensor, Tensor> attention(int heads, boolean biased, long seed) {
    RandomFeatureAttention attention = new RandomFeatureAttention(heads, DIMENSIONS, biased, seed);
    return x -> attention.features(x, 512);
  }

  private static Tensor sphere(int count) {
    Tensor x = Tensor.randn(count, KEYS + 1, DIMENSIONS).to(DType.FLOAT64);
    return x.div(x.square().sum(2, true).sqrt());
  }

  private static Risks risks(
      Target target,
      Function<Tensor, Tensor> features,
      List<Integer> samples,
      Trial.Session session) {
    Random.seed(1000 + session.seed());
    int most = samples.get(samples.size() - 1);
    Tensor direction = Tensor.randn(DIMENSIONS).to(DType.FLOAT64);
    Tensor tokens = sphere(most + 2000);
    Tensor values = target.of(tokens, direction.div(direction.norm()));
    Tensor centred = values.sub(values.mean());
    Tensor y = centred.div(centred.square().mean().sqrt());
    Tensor f = features.apply(tokens);
    List<Double> risks = new ArrayList<>();
    List<Double> penalties = new ArrayList<>();
    for (int count : samples) {
      double best = Double.POSITIVE_INFINITY;
      double risk = Double.NaN;
      double chosen = Double.NaN;
      for (double penalty : PENALTIES) {
        Tensor weights =
            RidgeRegression.solve(f.narrow(0, 0, count), y.narrow(0, 0, count), penalty);
        double tried = error(f, y, weights, most);
        if (tried < best) {
          best = tried;
          risk = error(f, y, weights, most + 1000);
          chosen = penalty;
        }
      }
      risks.add(risk);
      penalties.add(chosen);
      session.progress().at((double) risks.size() / samples.size(), "");
    }
    return new Risks(risks, penalties);
  }

  private static double error(Tensor features, Tensor targets, Tensor weights, int from) {
    return features
        .narrow(0, from, 1000)
        .matmul(weights.unsqueeze(1))
        .squeeze(1)
        .sub(targets.narrow(0, from, 1000))
        .square()
        .mean()
        .item();
  }

  private static void claims(ExperimentContext lab, Map<String, Measured<Risks>> all, int most) {
    for (String name : List.of("average of squares", "average of cubes")) {
      lab.claim(
          "Random attention learns the %s over keys from %,d samples better than a random network"
              .formatted(name, most),
          "fewer samples by a factor of the number of keys (theorem 3)",
          NETWORK,
          all.get(name).below("error", ATTENTION, NETWORK, Risks::last));
    }
    for (String name : List.of("correlation", "correlation of squares")) {
      lab.claim(
          "Biased random attention learns the %s of query and keys from %,d samples better than"
                  .formatted(name, most)
              + " random attention without bias",
          "a better sample complexity on correlations (theorem 5)",
          ATTENTION,
          all.get(name).below("error", BIASED, ATTENTION, Risks::last));
    }
    lab.claim(
        "Random attention learns the average of squares the better, the more samples it has: from"
            + " %,d on it has less than half of the error".formatted(most),
        "",
        "fewest samples",
        Check.below(
            "error",
            all.get("average of squares").of(ATTENTION, Risks::last),
            all.get("average of squares").of(ATTENTION, Risks::first).times(0.5)));
  }

  private static void report(
      ExperimentContext lab, String name, Measured<Risks> runs, List<Integer> samples) {
    lab.table(
        runs.table(
            "Error on the " + name,
            "model",
            Column.each(
                samples.size(), i -> "%,d samples".formatted(samples.get(i - 1)), Risks::risks)));
    lab.figure(
        new Figure(
            "Error on the " + name + ", mean over the seeds",
            "samples",
            "share of the variance",
            true,
            true,
            runs.means(samples, Risks::risks)));
  }
}
