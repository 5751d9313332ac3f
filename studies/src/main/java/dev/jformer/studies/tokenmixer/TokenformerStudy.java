package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PattentionMlp;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Pattention;
import dev.jformer.nn.Projection;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.GrowthTrial;
import dev.jformer.studies.trial.GrowthTrial.Outcome;
import dev.jformer.studies.trial.Small;
import java.util.Collections;
import java.util.List;

/**
 * TokenFormer: Rethinking Transformer Scaling with Tokenized Model Parameters (<a
 * href="https://arxiv.org/abs/2410.23168">arXiv 2410.23168</a>): whether growing a model preserves
 * what it computes, and whether a model that was trained small and grown twice is as good as a
 * large one trained from scratch at equal total compute.
 */
@AutoService(Study.class)
public final class TokenformerStudy implements Study {
  private static final String GROWN = "grown 1x, 2x, 4x";
  private static final String SCRATCH = "4x from scratch";
  private static final String PLAIN = "Transformer of that size";

  @Override
  public void run(ExperimentContext lab) {
    int seeds = lab.pick(1, 2, 3);
    List<Integer> stages =
        lab.pick(List.of(2, 2, 2), List.of(400, 200, 150), List.of(60_000, 30_000, 30_000));
    GrowthTrial growing =
        new GrowthTrial(tokens(lab, 1), stages, lab.pick(2, 16, 32), lab.pick(2, 40, 100));
    Measured<Outcome> grown = Arms.of(GROWN, growing).learn(lab, "", seeds, trial -> trial);
    double budget = grown.first(GROWN).spent();
    Measured<Outcome> runs =
        grown.and(
            Arms.of(SCRATCH, tokens(lab, 4))
                .control(PLAIN, transformer(lab))
                .learn(lab, "", seeds, model -> growing.within(model, budget)));
    lab.claim(
        "Growing a TokenFormer preserves the function",
        "new key parameters start at zero: output unchanged (section 3.3)",
        Check.below(
            "largest difference of a logit",
            Collections.max(grown.arm(GROWN).values(run -> Collections.max(run.changes()))),
            1e-5));
    lab.claim(
        "TokenFormer grown step by step is as good as trained from scratch at equal total"
            + " compute",
        "comparable performance at a third to a tenth of the cost (figure 3)",
        SCRATCH,
        runs.atMost("held-out loss", GROWN, SCRATCH, Outcome::last));
    double fromScratch = runs.of(SCRATCH, Outcome::last).value();
    lab.claim(
        "Grown TokenFormer reaches the loss of training from scratch with less compute",
        "a third to a tenth of the cost (figure 3)",
        SCRATCH,
        Check.below(
            "share of the compute",
            runs.of(GROWN, run -> run.until(fromScratch) / run.spent()),
            1));
    lab.claim(
        "A TokenFormer learns about as well as a Transformer of the same number of weights",
        "perplexity 16.1 against 16.4 at 354 M parameters (table 2)",
        PLAIN,
        runs.ratioAtMost("loss", SCRATCH, PLAIN, Outcome::last, 1.02));
    lab.table(
        runs.table(
            "Language models at equal total compute",
            "model",
            fixed("weights", Outcome::parameters),
            column("operations (1e12)", Outcome::spent),
            column("loss", "nats a byte", Outcome::last)));
    lab.figure(
        runs.figure(
            "Held-out loss against operations, first seed",
            "operations (1e12)",
            "nats a byte",
            (run, name) -> Figure.Series.line(name, run.compute(), run.losses())));
    lab.note(
        "Compute is that of matrix products, forward and backward, added up over the stages. Each"
            + " stage has a warm-up and a cosine of its own, as has training from scratch.");
  }

  private static CausalLm.Config tokens(ExperimentContext lab, int growth) {
    return model(lab, new PattentionMlp.Config(2, growth), new Pattention.Config(0.5, growth));
  }

  /** Perceptrons so wide that the weights are as many as the large TokenFormer's. */
  private static CausalLm.Config transformer(ExperimentContext lab) {
    // Blocks of the large one: 4 projections of 2 (2 D) D and 2 (8 D) D; here 4 D² and 2 h D.
    int hidden = (16 + 16 - 4) * lab.pick(16, 64, 512) / 2;
    return model(lab, new Mlp.Config(Activation.GELU, 4, hidden), new Linear.Config());
  }

  private static CausalLm.Config model(
      ExperimentContext lab, ChannelMixer.Config ffn, Projection projection) {
    return Small.language(3, lab.pick(16, 64, 512), lab.pick(16, 96, 1024), 4)
        .withBlock(b -> b.ffn(ffn).projection(projection));
  }
}
