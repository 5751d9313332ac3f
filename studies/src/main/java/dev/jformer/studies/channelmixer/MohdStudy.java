package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.expert.Mohd;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Projection;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.studies.trial.TrainingResult;
import java.util.List;

/**
 * Mixture of Hidden Dimensions, MoHD (<a href="https://arxiv.org/abs/2412.05644">Mixture of Hidden
 * Dimensions Transformer</a>): language models whose tokens use half of the dimensions of every
 * matrix, beside dense ones of the same size, and wider ones that use a quarter, beside dense ones
 * of the same computation.
 */
@AutoService(Study.class)
public final class MohdStudy implements Study {
  private static final String DENSE = "dense";
  private static final String HALF = "MoHD, half active";
  private static final String WIDE = "MoHD, twice as wide, a quarter active";

  /** A loss of at most so many times another is near it. */
  private static final double NEAR = 1.02;

  @Override
  public void run(ExperimentContext lab) {
    int steps = lab.pick(3, 300, 20_000);
    Measured<TrainingResult> runs =
        Arms.ofControl(DENSE, trial(lab, steps, 1, new Linear.Config()))
            .arm(HALF, trial(lab, steps, 1, new Mohd.Config()))
            .arm(WIDE, trial(lab, steps, 2, new Mohd.Config(8, 1, 1, 0.01)))
            .learn(lab, lab.pick(1, 2, 3), trial -> trial);
    lab.claim(
        "MoHD with half of the dimensions active is near the dense model of its size, or above",
        "1.7 % better with 50 % fewer active weights (abstract)",
        DENSE,
        runs.ratioAtMost(
            "loss over the dense one's", HALF, DENSE, TrainingResult::finalLoss, NEAR));
    lab.claim(
        "At equal computation a wider MoHD is better than the dense model",
        "3.7 % better with three times the weights at constant activation (abstract)",
        runs.below("loss (nats a byte)", WIDE, DENSE, TrainingResult::finalLoss),
        "Equal in the matrices of the blocks; attention between tokens and the output layer cost"
            + " twice as much at twice the width, as the table counts.");
    lab.claim(
        "MoHD computes half of the dimensions with less than two thirds of the operations",
        "50 % fewer active weights (abstract)",
        Check.below(
            "operations over the dense one's",
            runs.first(HALF).flopsPerUnit() / runs.first(DENSE).flopsPerUnit(),
            2.0 / 3),
        "Attention between tokens, router, fusion and the output layer are not halved.");
    lab.table(
        runs.table(
            "Language models of bytes after " + steps + " updates",
            "model",
            column("loss", "nats a byte", TrainingResult::finalLoss),
            fixed("weights", TrainingResult::parameters),
            fixed("operations a token (1e6)", run -> run.flopsPerUnit() / 1e6),
            column("tokens/s", TrainingResult::unitsPerSecond)));
    lab.figure(TrainingResult.figure(runs, "Held-out loss, first seed", "nats a byte"));
    cost(lab);
  }

  private static Trial<TrainingResult> trial(
      ExperimentContext lab, int steps, int times, Projection projection) {
    return new LanguageTrial(
        Small.language(lab.pick(1, 3, 6), times * lab.pick(16, 96, 384), lab.pick(16, 128, 256), 4)
            .withBlock(b -> b.projection(projection)),
        Small.training(steps, lab.pick(2, 12, 32), 1),
        lab.pick(2, 20, 100));
  }

  private static void cost(ExperimentContext lab) {
    int tokens = lab.pick(32, 4096, 4096);
    List<Integer> widths =
        lab.pick(List.of(16, 32), List.of(256, 512, 1024), List.of(512, 1024, 2048));
    Arms<Projection> layers =
        Arms.<Projection>ofControl(DENSE, new Linear.Config())
            .arm(HALF, new Mohd.Config())
            .arm("MoHD, a quarter active", new Mohd.Config(8, 1, 1, 0));
    Measured<TimedArms> times =
        Arms.named(widths, width -> "width " + width)
            .measure(
                lab,
                "time of layers of ",
                TimedArms.class,
                width ->
                    TimedArms.layers(
                        layers,
                        each -> each.build(width, width, true, Initializer.normal(0.02)),
                        false,
                        10,
                        15,
                        tokens,
                        width));
    TimedArms widest = times.first("width " + widths.get(widths.size() - 1));
    lab.claim(
        "A wide layer with half of its dimensions active takes less time than the dense one",
        "(the paper counts active weights)",
        DENSE,
        Check.below("times dense, widest", widest.ratio(HALF, DENSE), 1));
    lab.table(
        TimedArms.ratios(
            "Time of D x D layers on " + tokens + " tokens in inference, times the dense one's",
            "layer",
            times));
  }
}
