package dev.jformer.studies.incontext;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.incontext.DistributionTransformer;
import dev.jformer.incontext.GaussianMixture;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Optimizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * Posteriors by a Transformer (<a href="https://arxiv.org/abs/2502.02463">Distribution
 * Transformers: Fast Approximate Bayesian Inference With On-The-Fly Prior Adaptation</a>) beside
 * exact ones: of mixtures in one dimension after noisy observations, in a filter, and for priors of
 * another kind than learned from; and the time beside that of particles.
 */
@AutoService(Study.class)
public final class DistributionTransformersStudy implements Study {
  private static final String MODEL = "distribution transformer";
  private static final String OTHER_PRIOR = "another problem's prior";
  private static final String EXACT = "exact";
  private static final String PRIOR = "prior";
  private static final double NOISE = 1;
  private static final double FACTOR = 0.95;

  /** Mean logarithms of densities of the true values, in nats. */
  public record Likelihoods(
      double one, double four, double wide, double three, double filtered, double micros) {}

  /** How particles fare: their number, log-density, and microseconds a problem. */
  public record Particles(int count, double likelihood, double micros) {}

  /** A kind of priors. */
  private record Priors(int components, double spread) {
    static final Priors LEARNED = new Priors(2, 3);

    GaussianMixture draw(int batch) {
      Tensor logWeights = Tensor.randn(batch, components).logSoftmax(1);
      Tensor means = Tensor.randn(batch, components, 1).mul(spread);
      Tensor deviations =
          Tensor.rand(batch, components, 1, 1).mul(Math.log(2 / 0.3)).exp().mul(0.3);
      return new GaussianMixture(logWeights, means, deviations);
    }
  }

  /** Gives a posterior for a prior and observations [B, n]. */
  private interface Inference {
    GaussianMixture of(GaussianMixture prior, Tensor observations);
  }

  @Override
  public void run(ExperimentContext lab) {
    int problems = lab.pick(200, 20_000, 50_000);
    Measured<Likelihoods> runs =
        lab.learnTogether(
            "posteriors",
            Likelihoods.class,
            lab.pick(1, 3, 5),
            session -> outcomes(lab, problems, session));
    List<Integer> counts =
        lab.pick(
            List.of(10, 100),
            List.of(100, 1000, 10_000, 100_000),
            List.of(100, 1000, 10_000, 100_000));
    Measured<Particles> particles =
        Arms.named(counts, count -> "%,d particles".formatted(count))
            .measure(lab, "", Particles.class, count -> particles(count, lab.pick(20, 500, 500)));
    claims(lab, runs, particles);
    lab.table(
        runs.table(
            "Mean log-density of the true value, nats",
            "posterior",
            column("1 observation", Likelihoods::one),
            column("4 observations", Likelihoods::four),
            column("4 observations, prior means twice as wide", Likelihoods::wide),
            column("4 observations, priors of 3 components", Likelihoods::three),
            column("filter", Likelihoods::filtered),
            column("microseconds a problem", Likelihoods::micros)));
    lab.table(
        particles.table(
            "Particles: weighted draws from the prior, 4 observations",
            "",
            column("log-density (nats)", Particles::likelihood),
            column("microseconds a problem", Particles::micros)));
    lab.figure(
        Figure.of(
                "Accuracy and time, 4 observations",
                "microseconds a problem",
                "nats",
                particles.line("particles", Particles::micros, Particles::likelihood),
                runs.only(List.of(MODEL)).line(MODEL, Likelihoods::micros, Likelihoods::four))
            .withLogX());
    lab.note(
        "Priors to learn from: two components, weights by a softmax of normal numbers, means from a"
            + " normal distribution of deviation 3, deviations from 0.3 to 2, even in the"
            + " logarithm; 1 to 8 observations with noise of variance 1. The filter: %s θ plus"
            + " noise of variance 1, 30 steps, an observation each; the model's posterior is moved"
            + " exactly and is the next prior. Particles are drawn from the prior and weighted by"
            + " the likelihood, in batches of up to 1,000 problems as well; their density is that"
            + " of a kernel estimate (Silverman's bandwidth). %,d problems; learned in %,d updates"
            + " of 512 problems, AdamW at a rate that falls from 0.001.",
        FACTOR, problems, updates(lab));
  }

  private static int updates(ExperimentContext lab) {
    return lab.pick(3, 3000, 20_000);
  }

  private static Map<String, Likelihoods> outcomes(
      ExperimentContext lab, int problems, Trial.Session session) {
    try (DistributionTransformer model = trained(lab, session)) {
      model.train(false);
      Inference learned = (prior, seen) -> model.forward(prior, seen.unsqueeze(2));
      Map<String, Likelihoods> all = new LinkedHashMap<>();
      all.put(MODEL, likelihoods(learned, problems));
      all.put(
          OTHER_PRIOR,
          likelihoods(
              (prior, seen) -> {
                Tensor other = Tensor.randperm(seen.size(0));
                return learned.of(
                    new GaussianMixture(
                        prior.logWeights().indexSelect(0, other),
                        prior.means().indexSelect(0, other),
                        prior.factors().indexSelect(0, other)),
                    seen);
              },
              problems));
      all.put(EXACT, likelihoods((prior, seen) -> prior.afterObservations(seen, NOISE), problems));
      all.put(PRIOR, likelihoods((prior, seen) -> prior, problems));
      return all;
    }
  }

  private static DistributionTransformer trained(ExperimentContext lab, Trial.Session session) {
    Random.seed(session.seed());
    SplittableRandom random = new SplittableRandom(session.seed());
    DistributionTransformer model =
        new DistributionTransformer.Config().withLayers(lab.pick(1, 4, 6)).build();
    int updates = updates(lab);
    try (Optimizer optimizer = new AdamW.Config().withWeightDecay(0).build(model)) {
      for (int step = 0; step < updates; step++) {
        try (Scope scope = Scope.open()) {
          GaussianMixture prior = Priors.LEARNED.draw(lab.pick(16, 512, 5000));
          Tensor point = prior.sample();
          Tensor seen = observations(point, 1 + random.nextInt(8)).unsqueeze(2);
          model.clearGrads();
          model.forward(prior, seen).logDensity(point).mean().neg().backward();
          optimizer.clipGradients(1);
          optimizer.step(1e-3 * (1 - (double) step / updates));
        }
        session.progress().at((step + 1.0) / updates, "");
      }
    }
    return model;
  }

  /** Noisy observations of points: [B, 1] to [B, n]. */
  private static Tensor observations(Tensor points, int count) {
    return points.add(Tensor.randn(points.size(0), count).mul(Math.sqrt(NOISE)));
  }

  private static Likelihoods likelihoods(Inference inference, int problems) {
    try (Mode mode = Autograd.noGrad()) {
      Random.seed(99); // the same problems for all
      double one = likelihood(inference, Priors.LEARNED, 1, problems);
      long start = System.nanoTime();
      double four = likelihood(inference, Priors.LEARNED, 4, problems);
      double micros = (System.nanoTime() - start) / 1e3 / problems;
      double wide = likelihood(inference, new Priors(2, 6), 4, problems);
      double three = likelihood(inference, new Priors(3, 3), 4, problems);
      return new Likelihoods(one, four, wide, three, filtered(inference, problems / 10), micros);
    }
  }

  private static double likelihood(Inference inference, Priors priors, int count, int problems) {
    double sum = 0;
    int batch = Math.min(problems, 1000);
    for (int at = 0; at < problems; at += batch) {
      try (Scope scope = Scope.open()) {
        GaussianMixture prior = priors.draw(batch);
        Tensor point = prior.sample();
        sum += inference.of(prior, observations(point, count)).logDensity(point).sum().item();
      }
    }
    return sum / problems;
  }

  private static double filtered(Inference inference, int problems) {
    int steps = 30;
    double sum = 0;
    try (Scope scope = Scope.open()) {
      GaussianMixture belief = Priors.LEARNED.draw(problems);
      Tensor point = belief.sample();
      for (int step = 0; step < steps; step++) {
        belief = inference.of(belief, observations(point, 1));
        sum += belief.logDensity(point).mean().item();
        belief = belief.afterStep(FACTOR, 1);
        point = point.mul(FACTOR).add(Tensor.randn(problems, 1));
      }
    }
    return sum / steps;
  }

  /** In batches like the model's, as far as memory allows. */
  private static Particles particles(int count, int problems) {
    Random.seed(99);
    int batch = Math.max(1, Math.min(Math.min(1000, problems), 1_000_000 / count));
    double sum = 0;
    double seconds = 0;
    int done = 0;
    for (; done < problems; done += batch) {
      try (Scope scope = Scope.open()) {
        GaussianMixture prior = Priors.LEARNED.draw(batch);
        Tensor point = prior.sample(); // [B, 1]
        Tensor seen = observations(point, 4);
        long start = System.nanoTime();
        Tensor rows = Tensor.arange(0, batch).repeatInterleave(count, 0);
        Tensor drawn =
            new GaussianMixture(
                    prior.logWeights().indexSelect(0, rows),
                    prior.means().indexSelect(0, rows),
                    prior.factors().indexSelect(0, rows))
                .sample()
                .reshape(batch, count);
        Tensor off = drawn.unsqueeze(2).sub(seen.unsqueeze(1)).square().sum(2, false);
        Tensor weights = off.mul(-0.5 / NOISE).softmax(1); // [B, N]
        Tensor mean = weights.mul(drawn).sum(1, true);
        Tensor variance = weights.mul(drawn.sub(mean).square()).sum(1, true);
        Tensor effective = weights.square().sum(1, true).reciprocal();
        Tensor width = variance.sqrt().mul(effective.pow(-0.2)).mul(1.06).clamp(1e-3, 1e30);
        Tensor logs = drawn.sub(point).div(width).square().mul(-0.5).add(weights.log());
        Tensor density = logs.logSumExp(1, true).sub(width.log()).sub(0.5 * Math.log(2 * Math.PI));
        sum += density.clamp(Math.log(1e-30), 1e30).sum().item();
        seconds += (System.nanoTime() - start) / 1e9;
      }
    }
    return new Particles(count, sum / done, 1e6 * seconds / done);
  }

  private static void claims(
      ExperimentContext lab, Measured<Likelihoods> runs, Measured<Particles> particles) {
    lab.claim(
        "The log-density of a distribution transformer's posterior is within 2 % of the exact"
            + " one's",
        "near exact (table 1)",
        OTHER_PRIOR,
        Check.all(
            gap(runs, "1 observation", Likelihoods::one),
            gap(runs, "4 observations", Likelihoods::four)));
    lab.claim(
        "In a filter of 30 steps the log-density is within 2 % of the exact filter's",
        "near Kalman's (figure 3)", OTHER_PRIOR, gap(runs, "30 steps", Likelihoods::filtered));
    lab.claim(
        "The prior is used: with another problem's prior posteriors are worse",
        "",
        OTHER_PRIOR,
        runs.above("nats, 1 observation", MODEL, OTHER_PRIOR, Likelihoods::one));
    List<Check> swapped = new ArrayList<>();
    swapped.add(gain(runs, "means twice as wide", Likelihoods::wide));
    swapped.add(gain(runs, "three components", Likelihoods::three));
    lab.claim(
        "Priors of another kind than learned from can be put in without training: nine tenths of"
            + " what exact posteriors gain over the prior are gained",
        "on-the-fly prior adaptation (title)",
        PRIOR,
        Check.all(swapped));
    double model = runs.of(MODEL, Likelihoods::four).value();
    double micros = runs.of(MODEL, Likelihoods::micros).value();
    double times =
        particles.arms().stream()
            .map(Measured.Arm::first)
            .filter(p -> p.likelihood() >= model - 0.01)
            .mapToDouble(p -> p.micros() / micros)
            .findFirst()
            .orElse(particles.arms().get(particles.arms().size() - 1).first().micros() / micros);
    lab.claim(
        "A distribution transformer is 100 times as fast as particles of equal accuracy, in batches"
            + " of 1,000 problems",
        "milliseconds against minutes (table 2)",
        "particles",
        Check.atLeast("times as fast", times, 100));
  }

  private static Check gap(
      Measured<Likelihoods> runs, String name, ToDoubleFunction<Likelihoods> value) {
    double exact = runs.of(EXACT, value).value();
    return Check.atMost(
        "gap as a share, " + name,
        runs.beside(
            MODEL,
            EXACT,
            (mine, best) ->
                (value.applyAsDouble(best) - value.applyAsDouble(mine)) / Math.abs(exact)),
        0.02);
  }

  private static Check gain(
      Measured<Likelihoods> runs, String name, ToDoubleFunction<Likelihoods> value) {
    double prior = runs.of(PRIOR, value).value();
    double exact = runs.of(EXACT, value).value();
    return Check.atLeast(
        "share of the gain, " + name,
        runs.of(MODEL, run -> (value.applyAsDouble(run) - prior) / (exact - prior)),
        0.9);
  }
}
