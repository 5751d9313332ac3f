package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.NeuronMask;
import dev.jformer.compress.neurons.NodeSearch;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Random search on the node space of an overparameterised language model (arXiv 2403.08265): are
 * sparse networks that it finds a better start than random ones of equal sparsity, before any
 * training or after a brief one; beside the dense network and units chosen by magnitude.
 */
@AutoService(Study.class)
public final class RandomSearchStudy implements Study {
  private static final String DENSE = "dense";
  private static final String CHANCE = "random";
  private static final String FOUND = "search, by the first loss";
  private static final String TRIED = "search, after brief training";
  private static final String LARGE = "magnitude, at the start";
  private static final String TICKET = "magnitude, of the trained net";
  private static final List<String> SPARSE = List.of(CHANCE, FOUND, TRIED, LARGE, TICKET);

  /** Number of a batch of training text that training does not come to. */
  private static final long UNSEEN = 1_000_000;

  /** Batches that a search judges by. */
  private static final int JUDGED = 2;

  /** By so much of the dense net's loss a sparse one may be worse that still does well. */
  private static final double WELL = 0.05;

  /**
   * A network's training.
   *
   * @param sparsity share of the nodes that are not there
   * @param first loss before training
   * @param losses on held-out text, after equally many updates each
   */
  private record Run(String arm, double sparsity, double first, List<Double> losses) {
    double last() {
      return losses.get(losses.size() - 1);
    }

    /** Mean over the course of training: the lower, the faster the descent. */
    double area() {
      return losses.stream().mapToDouble(loss -> loss).average().orElse(Double.NaN);
    }
  }

  /** All trainings from one start. */
  private record Runs(List<Run> runs) {
    List<Run> of(String arm, double sparsity) {
      return runs.stream().filter(r -> r.arm().equals(arm) && r.sparsity() == sparsity).toList();
    }

    /** Mean of the runs of an arm. */
    double mean(String arm, double sparsity, ToDoubleFunction<Run> value) {
      return Seeds.mean(of(arm, sparsity), value);
    }
  }

  @Override
  public String slug() {
    return "random-search";
  }

  private static List<Double> sparsities(Scale scale) {
    List<Double> all = List.of(0.5, 0.9, 0.97);
    return scale.pick(List.of(0.5), all, all);
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Runs> seeds = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 5, 10); seed++) {
      long own = seed;
      seeds.add(
          lab.measure(
              "seed " + seed, Runs.class, progress -> new Experiment(lab, own, progress).run()));
    }
    report(lab, seeds);
  }

  // ---- One start

  private static final class Experiment {
    private final ExperimentContext lab;
    private final Scale scale;
    private final TrainingConfig training;
    private final DoubleConsumer progress;
    private final List<Run> runs = new ArrayList<>();

    Experiment(ExperimentContext lab, long seed, DoubleConsumer progress) {
      this.lab = lab;
      this.scale = lab.scale();
      this.training = Small.training(scale.pick(4, 200, 20_000), 8, seed);
      this.progress = progress;
    }

    Runs run() {
      Random.seed(training.seed());
      try (CausalLm start = config(scale).build();
          CausalLm dense = config(scale).build()) {
        start.train(false);
        dense.copyFrom(start);
        train(DENSE, 0, dense);
        for (double sparsity : sparsities(scale)) {
          all(start, dense, sparsity);
        }
      }
      return new Runs(runs);
    }

    private void all(CausalLm start, CausalLm dense, double sparsity) {
      // Other draws than the search's, or the random ones would be among those it chose from.
      NodeSearch chance = new NodeSearch(1, sparsity, 1000 + training.seed());
      for (int n = 0; n < scale.pick(1, 3, 3); n++) {
        train(CHANCE, sparsity, start, chance.sample(NeuronMask.counts(start), n));
      }
      NodeSearch found = new NodeSearch(scale.pick(2, 100, 1000), sparsity, training.seed());
      train(FOUND, sparsity, start, best(found, start, this::judged));
      NodeSearch tried = new NodeSearch(scale.pick(2, 16, 100), sparsity, training.seed());
      train(TRIED, sparsity, start, best(tried, start, this::trainedBriefly));
      PruneNeurons largest = new PruneNeurons(sparsity, List.of(), new MagnitudeNeurons());
      train(LARGE, sparsity, start, largest.chosen(start));
      train(TICKET, sparsity, start, largest.chosen(dense));
    }

    private static NeuronMask best(NodeSearch search, Model start, ToDoubleFunction<Model> judge) {
      return search.run(start, judge, done -> {}).get(0).neurons();
    }

    private void train(String arm, double sparsity, CausalLm start, NeuronMask neurons) {
      try (CausalLm sparse = (CausalLm) neurons.applied(start)) {
        train(arm, sparsity, sparse);
      }
    }

    private void train(String arm, double sparsity, CausalLm model) {
      double first = judged(model);
      TrainingCurve course = TrainingCurve.of(model, task(model), training, done -> {});
      model.train(false);
      runs.add(new Run(arm, sparsity, first, course.losses()));
      double arms = 1 + sparsities(scale).size() * (4.0 + scale.pick(1, 3, 3));
      progress.accept(runs.size() / arms);
    }

    private LanguageModelling task(CausalLm model) {
      return new LanguageModelling(
          model, lab.text(), training.batch(), training.seed(), scale.pick(1, 10, 100));
    }

    /** The loss as it is, on text to learn from. */
    private double judged(Model model) {
      LanguageModelling task = task((CausalLm) model);
      double sum = 0;
      for (int i = 0; i < JUDGED; i++) {
        try (Scope scope = Scope.open();
            Mode mode = Autograd.noGrad()) {
          sum += task.loss(UNSEEN + i).item() / JUDGED;
        }
      }
      return sum;
    }

    /** The loss after the first updates of the training. */
    private double trainedBriefly(Model model) {
      int updates = scale.pick(1, 20, 200);
      try (Trainer trainer = new Trainer(model, task((CausalLm) model), training, null)) {
        trainer.addListener(
            new Listener() {
              @Override
              public void step(Step step) {
                if (step.step() == updates) {
                  trainer.stop();
                }
              }
            });
        trainer.run();
      }
      model.train(false);
      return judged(model);
    }
  }

  private static CausalLm.Config config(Scale scale) {
    return Small.language(
        scale.pick(1, 2, 4),
        scale.pick(16, 32, 128),
        scale.pick(16, 64, 256),
        new LearnedPosition.Config(),
        new SoftmaxAttention.Config(2, 0),
        new Mlp.Config(Activation.GELU, 0, scale.pick(32, 1024, 8192)),
        new Linear.Config());
  }

  // ---- What was found

  private static void report(ExperimentContext lab, List<Runs> seeds) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(row(DENSE, 0, seeds));
    for (double sparsity : sparsities(lab.scale())) {
      SPARSE.forEach(arm -> rows.add(row(arm, sparsity, seeds)));
    }
    lab.table(
        new Table(
            "What networks learn, means over seeds",
            List.of(
                "network",
                "nodes gone (%)",
                "loss before training",
                "last loss",
                "better than random",
                "± of it",
                "mean over training",
                "runs"),
            rows));
    int points = seeds.get(0).runs().get(0).losses().size();
    List<Double> shares =
        IntStream.rangeClosed(1, points).mapToObj(i -> 100.0 * i / points).toList();
    for (double sparsity : sparsities(lab.scale())) {
      List<Figure.Series> lines = new ArrayList<>();
      lines.add(Figure.Series.line(DENSE, shares, curve(DENSE, 0, seeds, points)));
      SPARSE.forEach(
          arm -> lines.add(Figure.Series.line(arm, shares, curve(arm, sparsity, seeds, points))));
      lab.figure(
          new Figure(
              "Without " + Check.number(100 * sparsity) + " % of the nodes",
              "updates (%)",
              "held-out loss (nats)",
              false,
              false,
              lines));
    }
    claims(lab, seeds);
    lab.note(
        "Language models of bytes with 2 layers of width 32 and 1,024 hidden units in each, 94 % of"
            + " whose weights but for tables are those of nodes; 200 updates of 8 x 64 bytes, all"
            + " from the same start for a seed. Nodes are hidden units; searches draw those of both"
            + " layers together, magnitude takes as many of each. By the first loss the best of 100"
            + " sub-networks is taken, after 20 updates the best of 16, by two batches that are not"
            + " trained on. 'Better' is the difference of last losses within a seed, ± its standard"
            + " error.");
  }

  private static List<Double> curve(String arm, double sparsity, List<Runs> seeds, int points) {
    return IntStream.range(0, points)
        .mapToObj(i -> Seeds.mean(seeds, s -> s.mean(arm, sparsity, run -> run.losses().get(i))))
        .toList();
  }

  private static List<String> row(String arm, double sparsity, List<Runs> seeds) {
    return Table.row(
        arm,
        100 * sparsity,
        Seeds.mean(seeds, s -> s.mean(arm, sparsity, Run::first)),
        Seeds.mean(seeds, s -> s.mean(arm, sparsity, Run::last)),
        arm.equals(DENSE) ? "" : Check.number(better(seeds, arm, sparsity, Run::last)),
        arm.equals(DENSE) ? "" : Check.number(error(seeds, arm, sparsity, Run::last)),
        Seeds.mean(seeds, s -> s.mean(arm, sparsity, Run::area)),
        (double) seeds.stream().mapToInt(s -> s.of(arm, sparsity).size()).sum());
  }

  /** By how much an arm is below the random networks of the same seed, in the mean. */
  private static double better(
      List<Runs> seeds, String arm, double sparsity, ToDoubleFunction<Run> value) {
    return Seeds.mean(seeds, s -> gain(s, arm, sparsity, value));
  }

  private static double gain(Runs s, String arm, double sparsity, ToDoubleFunction<Run> value) {
    return s.mean(CHANCE, sparsity, value) - s.mean(arm, sparsity, value);
  }

  /** The standard error of {@link #better}. */
  private static double error(
      List<Runs> seeds, String arm, double sparsity, ToDoubleFunction<Run> value) {
    return Seeds.spread(seeds, s -> gain(s, arm, sparsity, value)) / Math.sqrt(seeds.size());
  }

  private static void claims(ExperimentContext lab, List<Runs> seeds) {
    List<Double> sparsities = sparsities(lab.scale());
    double dense = Seeds.mean(seeds, s -> s.mean(DENSE, 0, Run::last));
    double high = sparsities.get(Math.min(1, sparsities.size() - 1));
    lab.claim(
        "Much of the performance stays when most nodes are gone",
        "a significant level of performance can still be preserved even when highly sparse",
        Check.atMost(
            "loss of random networks without " + Check.number(100 * high) + " % of the nodes",
            Seeds.mean(seeds, s -> s.mean(CHANCE, high, Run::last)),
            (1 + WELL) * dense));
    lab.claim(
        "Differences would show: units that training made large are a better start than random ones",
        "none: a control, that the experiment can tell networks from each other",
        Check.above(
            "better by (nats) without "
                + Check.number(100 * high)
                + " % of the nodes, against two standard errors",
            better(seeds, TICKET, high, Run::last),
            2 * error(seeds, TICKET, high, Run::last)));
    for (String arm : List.of(FOUND, TRIED)) {
      for (double sparsity : sparsities) {
        lab.claim(
            "Without "
                + Check.number(100 * sparsity)
                + " % of the nodes, "
                + arm
                + " does not learn more than random networks",
            "networks found by random search do not perform better than their random counterparts",
            Check.atMost(
                "better by (nats), against two standard errors",
                better(seeds, arm, sparsity, Run::last),
                2 * error(seeds, arm, sparsity, Run::last)));
        lab.claim(
            "Without "
                + Check.number(100 * sparsity)
                + " % of the nodes, "
                + arm
                + " does not learn faster than random networks",
            "nor converge more efficiently",
            Check.atMost(
                "mean over training lower by (nats), against two standard errors",
                better(seeds, arm, sparsity, Run::area),
                2 * error(seeds, arm, sparsity, Run::area)));
      }
    }
  }
}
