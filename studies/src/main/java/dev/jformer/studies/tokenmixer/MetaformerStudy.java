package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.mixer.DepthwiseConvolution;
import dev.jformer.mixer.IdentityMixer;
import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.RandomMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.vision.MetaFormer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Residual;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Pictures;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/**
 * MetaFormer (arXiv 2111.11418): pooling, nothing, a random matrix, convolution and attention in
 * the same block, learning to classify the images of CIFAR-10.
 */
@AutoService(Study.class)
public final class MetaformerStudy implements Study {
  private static final String POOLING = "pooling";
  private static final String ATTENTION = "attention";
  private static final String IDENTITY = "identity";
  private static final String RANDOM = "random matrix";

  /** How many points below attention count as a few. */
  private static final double FEW_POINTS = 3;

  /**
   * What came of a training.
   *
   * @param losses on held-out images, after equally many updates each
   * @param accuracy share of test images that are right
   * @param seconds of training and evaluating
   * @param parameters number of weights
   * @param operations of matrix products and convolutions for an image, 1e6
   */
  public record Outcome(
      List<Double> losses, double accuracy, double seconds, long parameters, double operations) {}

  /**
   * Size of a model.
   *
   * @param parameters number of weights
   */
  public record Count(long parameters) {}

  @Override
  public String slug() {
    return "metaformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    Count s12 = lab.measure("weights of PoolFormer-S12", Count.class, MetaformerStudy::s12);
    lab.claim(
        "PoolFormer-S12 has 11.9 million weights",
        "11.9 M (table 1); 11,915,176 in the authors' code",
        Check.all(
            Check.atMost("weights", (double) s12.parameters(), 11_915_176),
            Check.atLeast("weights", (double) s12.parameters(), 11_915_176)));
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(POOLING, new Pooling.Config());
    mixers.put(IDENTITY, new IdentityMixer.Config());
    mixers.put(RANDOM, new RandomMixer.Config());
    mixers.put("depthwise convolution", new DepthwiseConvolution.Config());
    mixers.put(ATTENTION, new SoftmaxAttention.Config(4, 0));
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    int seeds = lab.scale().pick(1, 2, 3);
    mixers.forEach(
        (name, mixer) -> {
          List<Outcome> outcomes = new ArrayList<>();
          for (int seed = 1; seed <= seeds; seed++) {
            int s = seed;
            outcomes.add(
                lab.measure(
                    name + ", seed " + seed,
                    Outcome.class,
                    progress -> learn(lab.scale(), mixer, s, progress)));
          }
          all.put(name, outcomes);
          rows.add(
              Table.row(
                  name,
                  100 * Seeds.mean(outcomes, Outcome::accuracy),
                  100 * Seeds.spread(outcomes, Outcome::accuracy),
                  outcomes.get(0).parameters(),
                  outcomes.get(0).operations(),
                  Seeds.mean(outcomes, Outcome::seconds)));
          List<Double> losses = outcomes.get(0).losses();
          curves.add(
              Figure.Series.line(
                  name,
                  IntStream.rangeClosed(1, losses.size()).mapToObj(i -> (double) i).toList(),
                  losses));
        });
    double pooling = points(all.get(POOLING));
    double attention = points(all.get(ATTENTION));
    lab.claim(
        "Pooling is within a few points of attention",
        "77.2 % of PoolFormer-S12 against 79.8 % of DeiT-S on ImageNet (table 1)",
        Check.atLeast("accuracy (%)", pooling, attention - FEW_POINTS));
    lab.claim(
        "PoolFormer needs fewer weights and operations than attention for that accuracy",
        "11.9 M and 1.8 G against 22 M and 4.6 G (table 1)",
        Check.all(
            Check.below(
                "weights",
                (double) all.get(POOLING).get(0).parameters(),
                (double) all.get(ATTENTION).get(0).parameters()),
            Check.below(
                "operations an image (1e6)",
                all.get(POOLING).get(0).operations(),
                all.get(ATTENTION).get(0).operations())));
    lab.claim(
        "Even with nothing or a random matrix for a mixer the block stays far above chance",
        "74.3 and 75.8 % against 77.2 % of pooling (table 5)",
        Check.all(
            Check.atLeast("accuracy without a mixer (%)", points(all.get(IDENTITY)), pooling - 10),
            Check.atLeast("with a random matrix (%)", points(all.get(RANDOM)), pooling - 10)),
        "Far above chance is taken to be within ten points of pooling; chance is 10 %.");
    lab.table(
        new Table(
            "Test images of CIFAR-10 after "
                + epochs(lab.scale())
                + " epochs of its training images",
            List.of(
                "mixer", "right (%)", "spread", "weights", "operations an image (1e6)", "seconds"),
            rows));
    lab.figure(
        new Figure(
            "Held-out loss, first seed",
            "tenths of the training",
            "cross-entropy (nats)",
            false,
            false,
            curves));
  }

  private static double points(List<Outcome> outcomes) {
    return 100 * Seeds.mean(outcomes, Outcome::accuracy);
  }

  private static Count s12() {
    try (MetaMode mode = MetaMode.open(10_000);
        MetaFormer model = new MetaFormer.Config().build()) {
      return new Count(model.parameterCount());
    }
  }

  private static int epochs(Scale scale) {
    return scale.pick(1, 5, 100);
  }

  private static Outcome learn(
      Scale scale, TokenMixer.Config mixer, long seed, DoubleConsumer progress) {
    try (Pictures pictures = new Pictures(scale);
        ImageFile training = pictures.training();
        ImageFile test = pictures.test()) {
      return learn(scale, mixer, training, test, seed, progress);
    }
  }

  private static Outcome learn(
      Scale scale,
      TokenMixer.Config mixer,
      ImageFile file,
      ImageFile test,
      long seed,
      DoubleConsumer progress) {
    int batch = scale.pick(4, 64, 128);
    ImageSampler sampler = new ImageSampler(file, 0.05, new Augmentation(), batch, seed);
    int classes = file.header().classes().size();
    int steps = Math.max(2, epochs(scale) * sampler.trainingImages() / batch);
    TrainingConfig training = Small.training(steps, batch, seed);
    Random.seed(seed);
    try (MetaFormer model = config(scale, mixer).withClasses(classes).build()) {
      try (Scope scope = Scope.open()) {
        Tensor[] channels = sampler.channels();
        model.standardise(channels[0], channels[1]);
      }
      TrainingCurve course =
          TrainingCurve.of(model, new ImageClassification(model, sampler, 0.1), training, progress);
      int[] same = IntStream.range(0, classes).toArray();
      ClassificationScores scores = ImageClassification.evaluate(model, test, same);
      return new Outcome(
          course.losses(),
          scores.accuracy(),
          course.seconds(),
          model.parameterCount(),
          operations(model));
    }
  }

  private static MetaFormer.Config config(Scale scale, TokenMixer.Config mixer) {
    return new MetaFormer.Config()
        .with(
            c ->
                c.size(32)
                    .classes(10)
                    .depths(List.of(2, 2, 2))
                    .widths(
                        scale.pick(List.of(8, 16, 16), List.of(48, 96, 160), List.of(64, 128, 320)))
                    .first(new MetaFormer.Patch(5, 4, 2))
                    .next(new MetaFormer.Patch()))
        .withBlock(
            b -> b.mixer(mixer).residual(new Residual(0.1, 0)).init(new BlockContext.Init()));
  }

  private static double operations(MetaFormer model) {
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor image = Tensor.zeros(1, 3, model.config().size(), model.config().size());
      return 1e-6 * Flops.of(() -> model.logits(image));
    }
  }
}
