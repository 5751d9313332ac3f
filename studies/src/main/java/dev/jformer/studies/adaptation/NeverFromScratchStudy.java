package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.ListOps;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.recurrent.Dlr;
import dev.jformer.model.Encoder;
import dev.jformer.nn.Activation;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Sinusoidal;
import dev.jformer.run.AlgorithmData;
import dev.jformer.run.DataConfig;
import dev.jformer.run.Jobs;
import dev.jformer.run.PixelClassificationJob;
import dev.jformer.run.PixelData;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Pretraining;
import dev.jformer.run.Recipe;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.Digits;
import dev.jformer.studies.trial.SequenceTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.Denoising;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Never from scratch (<a href="https://arxiv.org/abs/2310.02980">Never Train from Scratch: Fair
 * Comparison of Long-Sequence Models Requires Data-Driven Priors</a>): a Transformer and a diagonal
 * linear RNN learn nested lists and images as sequences of pixels, from random weights or after
 * they have restored hidden tokens of the same training data, with as many updates in total.
 */
@AutoService(Study.class)
public final class NeverFromScratchStudy implements Study {
  private static final String TRANSFORMER = "Transformer";
  private static final String LINEAR = "linear RNN";
  private static final String LISTS = "ListOps";
  private static final String PIXELS = "pixels";
  private static final int EVALUATIONS = 10;

  /** What an arm begins with, and its mixer. */
  private record Setting(TokenMixer.Config mixer, Position.Config position, boolean pretrained) {}

  /**
   * Sizes of an experiment.
   *
   * @param steps of the pretraining, and of the training after it; the scratch has twice as many
   */
  private record Size(int layers, int width, int steps, int batch) {}

  @Override
  public void run(ExperimentContext lab) {
    Size ofLists =
        lab.pick(new Size(1, 8, 4, 8), new Size(2, 64, 1500, 32), new Size(4, 128, 20_000, 32));
    Size ofPixels =
        lab.pick(new Size(1, 8, 4, 8), new Size(2, 64, 600, 32), new Size(3, 64, 5000, 32));
    int seeds = lab.pick(1, 3, 5);
    ListOps problem =
        lab.pick(new ListOps(0, 20, 2, 3), new ListOps(8, 24, 2, 4), new ListOps(0, 512, 10, 10));
    AlgorithmData lists =
        new AlgorithmData()
            .with(
                d ->
                    d.problem(problem)
                        .samples(lab.pick(60, 4000, 20_000))
                        .heldOut(lab.pick(20, 1000, 2000)));
    Map<String, Measured<TrainingResult>> found = new LinkedHashMap<>();
    try (PreparedData prepared = Jobs.prepare(recipe(lists, ofLists))) {
      found.put(LISTS, experiment(lab, LISTS, recipe(lists, ofLists), prepared, ofLists, seeds));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot prepare the lists", e);
    }
    PixelData pixels = new PixelData().with(d -> d.side(8).levels(17).validation(0.25));
    try (Digits digits = new Digits(lab.scale());
        PreparedData prepared = PixelClassificationJob.of(digits.training(), pixels)) {
      found.put(
          PIXELS, experiment(lab, PIXELS, recipe(pixels, ofPixels), prepared, ofPixels, seeds));
    }
    claims(lab, found);
    found.forEach((task, each) -> tables(lab, task, each));
    lab.note(
        "Encoders of %d blocks of width %d (pixels: %d, %d) that look both ways, the mean of whose"
            + " states is classified; the Transformer has 4 heads and sinusoidal positions, the"
            + " linear RNN (DLR) 64 complex states in each channel and no positions. Batches of %d,"
            + " AdamW with a rate of 1e-3, constant after a warm-up of 100 updates. Half of the"
            + " tokens are hidden in pretraining. Lists: %,d different ones of up to %d symbols to"
            + " learn from, %,d others held out; of up to 48, 600 updates of a first trial taught"
            + " the linear RNN little (19 %% right), so they are shorter here. Pixels: digits of 8"
            + " x 8 pixels of 17 greys, a quarter held out.",
        ofLists.layers(),
        ofLists.width(),
        ofPixels.layers(),
        ofPixels.width(),
        ofLists.batch(),
        lists.samples(),
        problem.longest(),
        lists.heldOut());
    lab.note(
        "Accuracies are the best of the evaluations on held-out sequences, %d in each %,d updates"
            + " (pixels: %,d). A model from scratch is trained for as many updates as pretraining"
            + " and training have together, so it is evaluated twice as often; half-way is the best"
            + " until the other's number of updates without pretraining.",
        EVALUATIONS, ofLists.steps(), ofPixels.steps());
  }

  private static Recipe recipe(DataConfig data, Size size) {
    TrainingConfig training =
        new TrainingConfig()
            .withSteps(2 * size.steps(), 2 * EVALUATIONS)
            .with(
                t ->
                    t.batch(size.batch())
                        .learningRate(1e-3)
                        .schedule(new Schedule(Schedule.Shape.CONSTANT, 100, 0)));
    return new Recipe(new Encoder.Config(), data, training);
  }

  private static Recipe recipe(Recipe base, Setting setting, Size size) {
    Encoder.Config model =
        new Encoder.Config()
            .withStack(
                s -> s.layers(size.layers()).width(size.width()).position(setting.position()))
            .withBlock(
                b ->
                    b.mixer(setting.mixer())
                        .ffn(new Mlp.Config(Activation.GELU, 0, 2 * size.width()))
                        .dropout(0));
    Recipe scratch = base.withModel(model);
    return setting.pretrained()
        ? scratch
            .withTraining(base.training().withSteps(size.steps(), EVALUATIONS))
            .withPretraining(new Pretraining().withObjective(new Denoising()))
        : scratch;
  }

  private static Measured<TrainingResult> experiment(
      ExperimentContext lab, String task, Recipe base, PreparedData data, Size size, int seeds) {
    SoftmaxAttention.Config attention = new SoftmaxAttention.Config(4, 0);
    Position.Config waves = new Sinusoidal.Config();
    Dlr.Config linear = new Dlr.Config();
    Position.Config none = new NoPosition.Config();
    return Arms.of(name(TRANSFORMER, true), new Setting(attention, waves, true))
        .control(name(TRANSFORMER, false), new Setting(attention, waves, false))
        .arm(name(LINEAR, true), new Setting(linear, none, true))
        .control(name(LINEAR, false), new Setting(linear, none, false))
        .learn(
            lab,
            task,
            seeds,
            setting -> new SequenceTrial(recipe(base, setting, size), data, size.steps()));
  }

  private static String name(String model, boolean pretrained) {
    return model + (pretrained ? ", pretrained" : ", from scratch");
  }

  private static double early(TrainingResult result) {
    return 100 * result.metric("early");
  }

  /** How much more accurate the linear RNN is than the Transformer, in points. */
  private static Estimate gap(Measured<TrainingResult> runs, boolean pretrained) {
    return runs.beside(
        name(LINEAR, pretrained),
        name(TRANSFORMER, pretrained),
        (linear, other) -> linear.percentRight() - other.percentRight());
  }

  /** What pretraining is worth to a model, in points. */
  private static Estimate gain(Measured<TrainingResult> runs, String model) {
    return runs.beside(
        name(model, true),
        name(model, false),
        (pretrained, scratch) -> pretrained.percentRight() - scratch.percentRight());
  }

  private static void claims(ExperimentContext lab, Map<String, Measured<TrainingResult>> found) {
    found.forEach(
        (task, runs) -> {
          lab.claim(
              "A pretrained Transformer is more accurate on "
                  + task
                  + " than one from scratch with as many updates in total",
              "54.4 to 81.4 % on average of Long Range Arena (table 1), without equal updates",
              name(TRANSFORMER, false),
              runs.above(
                  "% right",
                  name(TRANSFORMER, true), name(TRANSFORMER, false), TrainingResult::percentRight));
          lab.claim(
              "Pretraining is worth more to the Transformer than to the linear RNN on " + task,
              "27 points and 1 point for S4 (table 1)",
              name(LINEAR, true),
              Check.above("points gained", gain(runs, TRANSFORMER), gain(runs, LINEAR)));
          lab.claim(
              "Pretraining leaves at most half of the gap between linear RNN and Transformer on "
                  + task,
              "from about 30 points to about 1 (abstract)",
              name(LINEAR, false),
              Check.all(
                  List.of(
                      Check.above("points from scratch", gap(runs, false), 0),
                      Check.atMost(
                          "points after pretraining",
                          gap(runs, true),
                          gap(runs, false).times(0.5)))));
        });
  }

  private static void tables(ExperimentContext lab, String task, Measured<TrainingResult> runs) {
    lab.table(
        runs.table(
            "Held-out sequences of " + task,
            "model",
            column("accuracy (%)", TrainingResult::percentRight),
            column("accuracy half-way (%)", NeverFromScratchStudy::early),
            column("seconds in all", TrainingResult::seconds),
            fixed("weights", TrainingResult::parameters)));
    lab.figure(
        runs.figure(
            "Held-out loss on " + task + " (from scratch for twice as long)",
            "updates of the training",
            "nats",
            (result, name) -> result.curve(name)));
  }
}
