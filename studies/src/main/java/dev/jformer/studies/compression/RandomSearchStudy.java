package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.NeuronMask;
import dev.jformer.compress.neurons.NodeSearch;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.ffn.Mlp;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
  private static final String FOUND = "search by the first loss";
  private static final String TRIED = "search after brief training";
  private static final String LARGE = "magnitude at the start";
  private static final String TICKET = "magnitude of the trained net";

  /** The first of two batches of training text that a search judges by and no training reaches. */
  private static final long UNSEEN = 1_000_000;

  /** A sparse net still does well whose loss is at most so many times the dense one's. */
  private static final double WELL = 1.05;

  /**
   * The means over so many networks of an arm, from one start, without a share of the nodes: the
   * loss before training, and losses on held-out text after equally many updates each.
   */
  private record Nets(double sparsity, int networks, double first, List<Double> losses) {
    static Nets of(double sparsity, List<Nets> all) {
      return new Nets(
          sparsity,
          all.size(),
          Seeds.mean(all, Nets::first),
          IntStream.range(0, all.get(0).losses().size())
              .mapToObj(i -> Seeds.mean(all, net -> net.losses().get(i)))
              .toList());
    }

    double last() {
      return losses.get(losses.size() - 1);
    }

    /** Mean over the course of training: the lower, the faster the descent. */
    double area() {
      return Seeds.mean(losses, loss -> loss);
    }
  }

  private static List<Double> sparsities(ExperimentContext lab) {
    List<Double> all = List.of(0.5, 0.9, 0.97);
    return lab.pick(List.of(0.5), all, all);
  }

  private static String named(String arm, double sparsity) {
    return arm + ", " + without(sparsity);
  }

  private static String without(double sparsity) {
    return "without " + Check.number(100 * sparsity) + " % of the nodes";
  }

  @Override
  public void run(ExperimentContext lab) {
    Measured<Nets> nets =
        lab.learnTogether(
            "networks",
            Nets.class,
            lab.pick(1, 5, 10),
            session -> new Experiment(lab, session.seed()).run());
    report(lab, nets);
    claims(lab, nets);
  }

  private record Experiment(ExperimentContext lab, long seed) {
    Map<String, Nets> run() {
      int hidden = lab.pick(32, 1024, 8192);
      CausalLm.Config config =
          Small.language(lab.pick(1, 2, 4), lab.pick(16, 32, 128), lab.pick(16, 64, 256), 2)
              .withBlock(b -> b.ffn(new Mlp.Config(Activation.GELU, 0, hidden)));
      Map<String, Nets> arms = new LinkedHashMap<>();
      Random.seed(seed);
      try (CausalLm start = config.build();
          CausalLm dense = config.build()) {
        start.train(false);
        dense.copyFrom(start);
        arms.put(DENSE, learned(dense));
        for (double s : sparsities(lab)) {
          chosen(start, dense, s)
              .map((arm, chosen) -> learned(s, start, chosen))
              .forEach((arm, nets) -> arms.put(named(arm, s), nets));
        }
      }
      return arms;
    }

    /** The networks of each arm. */
    private Arms<List<NeuronMask>> chosen(CausalLm start, CausalLm dense, double sparsity) {
      // Other draws than the search's, or the random ones would be among those it chose from.
      NodeSearch chance = new NodeSearch(1, sparsity, 1000 + seed);
      Map<String, Integer> all = NeuronMask.counts(start);
      NodeSearch found = new NodeSearch(lab.pick(2, 100, 1000), sparsity, seed);
      NodeSearch tried = new NodeSearch(lab.pick(2, 16, 100), sparsity, seed);
      PruneNeurons largest = new PruneNeurons(sparsity, List.of(), new MagnitudeNeurons());
      IntStream draws = IntStream.range(0, lab.pick(1, 3, 3));
      return Arms.of(CHANCE, draws.mapToObj(n -> chance.sample(all, n)).toList())
          .arm(FOUND, List.of(best(found, start, this::judged)))
          .arm(TRIED, List.of(best(tried, start, this::trainedBriefly)))
          .arm(LARGE, List.of(largest.chosen(start)))
          .arm(TICKET, List.of(largest.chosen(dense)));
    }

    private static NeuronMask best(NodeSearch search, Model start, ToDoubleFunction<Model> judge) {
      return search.run(start, judge, done -> {}).get(0).neurons();
    }

    private Nets learned(double sparsity, CausalLm start, List<NeuronMask> networks) {
      List<Nets> each = new ArrayList<>();
      for (NeuronMask neurons : networks) {
        try (CausalLm sparse = (CausalLm) neurons.applied(start)) {
          each.add(learned(sparse));
        }
      }
      return Nets.of(sparsity, each);
    }

    private Nets learned(CausalLm model) {
      double first = judged(model);
      List<Double> losses = TrainingCurve.of(model, task(model), training(), done -> {}).losses();
      model.train(false);
      return new Nets(0, 1, first, losses);
    }

    private TrainingConfig training() {
      return Small.training(lab.pick(4, 200, 20_000), 8, seed);
    }

    private LanguageModelling task(Model model) {
      return new LanguageModelling(
          (CausalLm) model, lab.text(), training().batch(), seed, lab.pick(1, 10, 100));
    }

    /** The loss as it is, on text to learn from. */
    private double judged(Model model) {
      LanguageModelling task = task(model);
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        return (task.loss(UNSEEN).item() + task.loss(UNSEEN + 1).item()) / 2;
      }
    }

    /** The loss after the first updates of the training. */
    private double trainedBriefly(Model model) {
      try (Trainer trainer = new Trainer(model, task(model), training(), null)) {
        trainer.stopAfter(lab.pick(1, 20, 200));
        trainer.run();
      }
      model.train(false);
      return judged(model);
    }
  }

  private static void report(ExperimentContext lab, Measured<Nets> nets) {
    lab.table(
        nets.table(
            "What networks learn",
            "network",
            fixed("nodes gone (%)", net -> 100 * net.sparsity()),
            column("loss before training", Nets::first),
            column("last loss", Nets::last),
            new Column<>(
                "better than random",
                arm -> arm.name().equals(DENSE) ? "" : better(nets, arm.name(), Nets::last).text()),
            column("mean over training", Nets::area),
            fixed("networks of a seed", Nets::networks)));
    for (double sparsity : sparsities(lab)) {
      Measured<Nets> shown = nets.where(net -> net.sparsity() == 0 || net.sparsity() == sparsity);
      lab.figure(
          Figure.of(
              "Language models " + without(sparsity),
              "updates (%)",
              "held-out loss (nats)",
              shown.arms().stream().map(RandomSearchStudy::curve).toList()));
    }
    lab.note(
        "Language models of bytes with 2 layers of width 32 and 1,024 hidden units in each, 94 % of"
            + " whose weights but for tables are those of nodes; 200 updates of 8 x 64 bytes, all"
            + " from the same start for a seed. Nodes are hidden units; searches draw those of both"
            + " layers together, magnitude takes as many of each. By the first loss the best of 100"
            + " sub-networks is taken, after 20 updates the best of 16, by two batches that are not"
            + " trained on. 'Better' is the difference of last losses within a seed; of three random"
            + " networks the mean counts.");
  }

  private static Figure.Series curve(Measured.Arm<Nets> arm) {
    List<Double> losses = Nets.of(0, arm.runs()).losses();
    double interval = 100.0 / losses.size();
    return Figure.Series.spaced(arm.name(), interval, interval, losses);
  }

  /** By how much an arm is below the random networks of the same seed. */
  private static Estimate better(Measured<Nets> nets, String arm, ToDoubleFunction<Nets> value) {
    return nets.beside(
        named(CHANCE, nets.first(arm).sparsity()),
        arm,
        (chance, net) -> value.applyAsDouble(chance) - value.applyAsDouble(net));
  }

  private static void claims(ExperimentContext lab, Measured<Nets> nets) {
    List<Double> sparsities = sparsities(lab);
    double high = sparsities.get(Math.min(1, sparsities.size() - 1));
    lab.claim(
        "Random sub-networks keep much of the performance when most nodes are gone",
        "a significant level of performance can still be preserved even when highly sparse",
        DENSE,
        Check.atMost(
            "loss of random networks " + without(high),
            nets.of(named(CHANCE, high), Nets::last),
            nets.of(DENSE, Nets::last).times(WELL)));
    lab.claim(
        "Units that training made large are a better start than random ones",
        "none: a control, that the experiment can tell networks from each other",
        CHANCE,
        Check.above(
            "better by (nats) " + without(high), better(nets, named(TICKET, high), Nets::last), 0));
    for (String arm : List.of(FOUND, TRIED)) {
      for (double sparsity : sparsities) {
        String name = named(arm, sparsity);
        String sentence =
            "W" + without(sparsity).substring(1) + ", " + arm + " finds no networks that learn ";
        lab.claim(
            sentence + "more than random ones",
            "networks found by random search do not perform better than their random counterparts",
            CHANCE,
            byChance("better by (nats)", better(nets, name, Nets::last)));
        lab.claim(
            sentence + "faster than random ones",
            "nor converge more efficiently",
            CHANCE,
            byChance("mean over training lower by (nats)", better(nets, name, Nets::area)));
      }
    }
  }

  /** Checks that a gain is within two standard errors, so the seeds' spread is in the bound. */
  private static Check byChance(String name, Estimate gain) {
    double bound = gain.count() < 2 ? 0 : 2 * gain.error();
    return Check.atMost(name + ", against two standard errors", gain.value(), bound);
  }
}
