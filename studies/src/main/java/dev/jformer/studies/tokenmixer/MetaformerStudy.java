package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.DepthwiseConvolution;
import dev.jformer.mixer.IdentityMixer;
import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.RandomMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.MetaFormer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Residual;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.ImageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * MetaFormer Is Actually What You Need for Vision (<a href="https://arxiv.org/abs/2111.11418">arXiv
 * 2111.11418</a>): pooling, nothing, a random matrix, convolution and attention in the same block,
 * learning to classify the images of CIFAR-10.
 */
@AutoService(Study.class)
public final class MetaformerStudy implements Study {
  private static final String POOLING = "pooling";
  private static final String ATTENTION = "attention";
  private static final String IDENTITY = "identity";
  private static final String RANDOM = "random matrix";
  private static final String OPERATIONS = "operations";
  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>of(POOLING, new Pooling.Config())
          .control(IDENTITY, new IdentityMixer.Config())
          .control(RANDOM, new RandomMixer.Config())
          .arm("depthwise convolution", new DepthwiseConvolution.Config())
          .arm(ATTENTION, new SoftmaxAttention.Config(4, 0));

  /** How many points below attention count as a few. */
  private static final double FEW_POINTS = 3;

  /** How many points below pooling still count as far above chance. */
  private static final double FAR_ABOVE_CHANCE = 10;

  @Override
  public void run(ExperimentContext lab) {
    double s12 = weightsOfS12();
    lab.claim(
        "PoolFormer-S12 has 11.9 million weights",
        "11.9 M (table 1); 11,915,176 in the authors' code",
        Check.all(
            Check.atMost("weights", s12, 11_915_176), Check.atLeast("weights", s12, 11_915_176)));
    Measured<TrainingResult> runs =
        MIXERS.learn(lab, "", lab.pick(1, 2, 3), mixer -> trial(lab, mixer));
    lab.claim(
        "Pooling is within a few points of attention in the same blocks",
        "77.2 % of PoolFormer-S12 against 79.8 % of DeiT-S on ImageNet (table 1)",
        IDENTITY,
        runs.atLeast("accuracy (%)", POOLING, ATTENTION, TrainingResult::percentRight, FEW_POINTS));
    lab.claim(
        "PoolFormer needs fewer weights and operations than attention for that accuracy",
        "11.9 M and 1.8 G against 22 M and 4.6 G (table 1)",
        Check.all(
            Check.below(
                "weights",
                (double) runs.first(POOLING).parameters(),
                (double) runs.first(ATTENTION).parameters()),
            Check.below(
                "operations an image (1e6)",
                runs.first(POOLING).metric(OPERATIONS),
                runs.first(ATTENTION).metric(OPERATIONS))));
    lab.claim(
        "Even with nothing or a random matrix for a mixer the block stays far above chance",
        "74.3 and 75.8 % against 77.2 % of pooling (table 5)",
        Check.all(
            farAboveChance(runs, "accuracy without a mixer (%)", IDENTITY),
            farAboveChance(runs, "with a random matrix (%)", RANDOM)),
        "Far above chance is taken to be within ten points of pooling; chance is 10 %.");
    lab.table(
        runs.table(
            "Test images of CIFAR-10 after " + epochs(lab) + " epochs of its training images",
            "mixer",
            column("right", "%", TrainingResult::percentRight),
            fixed("weights", TrainingResult::parameters),
            fixed("operations an image (1e6)", run -> run.metric(OPERATIONS)),
            column("seconds", TrainingResult::seconds)));
    lab.figure(TrainingResult.figure(runs, "Held-out loss, first seed", "cross-entropy (nats)"));
  }

  private static Check farAboveChance(Measured<TrainingResult> runs, String name, String arm) {
    return runs.atLeast(name, arm, POOLING, TrainingResult::percentRight, FAR_ABOVE_CHANCE);
  }

  private static double weightsOfS12() {
    try (MetaMode mode = MetaMode.open(10_000);
        MetaFormer model = new MetaFormer.Config().build()) {
      return model.parameterCount();
    }
  }

  private static int epochs(ExperimentContext lab) {
    return lab.pick(1, 5, 100);
  }

  private static Trial<TrainingResult> trial(ExperimentContext lab, TokenMixer.Config mixer) {
    int batch = lab.pick(4, 64, 128);
    // Images that are not held out.
    int steps = epochs(lab) * lab.pick(22, 47_500, 47_500) / batch;
    List<Integer> widths =
        lab.pick(List.of(8, 16, 16), List.of(48, 96, 160), List.of(64, 128, 320));
    MetaFormer.Config model =
        new MetaFormer.Config()
            .with(c -> c.size(32).classes(10).depths(List.of(2, 2, 2)).widths(widths))
            .with(c -> c.first(new MetaFormer.Patch(5, 4, 2)).next(new MetaFormer.Patch()))
            .withBlock(
                b -> b.mixer(mixer).residual(new Residual(0.1, 0)).init(new BlockContext.Init()));
    return new ImageTrial(lab.scale(), model, Small.training(steps, batch, 1), 0.1)
        .examined(
            TrainingResult.class,
            (learned, images, result) ->
                result
                    .with("accuracy", images.accuracy(learned))
                    .with(OPERATIONS, operations(learned)));
  }

  /** Operations of matrix products and convolutions for an image, 1e6. */
  private static double operations(ImageModel model) {
    try (Scope scope = Scope.open()) {
      Tensor image = Tensor.zeros(1, 3, 32, 32);
      return 1e-6 * Flops.of(() -> model.logits(image));
    }
  }
}
