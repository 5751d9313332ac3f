package dev.jformer.studies.trial;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.expert.ExpertLoad;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TranslationData;
import dev.jformer.run.TranslationJob;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.AdamW;
import dev.jformer.train.Objective;
import dev.jformer.train.Schedule;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.Translation;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.DoubleConsumer;

/**
 * A trial that trains a small encoder-decoder to translate {@link Multi30k}. The metric {@code
 * bleu} is the BLEU score of greedy translations of the test texts at the end.
 *
 * @param texts the data set
 * @param scale of the model and its batches
 * @param ffn configuration of the channel mixers
 * @param objective that is minimized
 * @param steps number of updates
 */
public record TranslationTrial(
    Multi30k texts, Scale scale, ChannelMixer.Config ffn, Objective objective, int steps)
    implements Trial<TrainingResult> {
  private static final double SMOOTHING = 0.1;
  private static final int EVALUATIONS = 10;

  /** The maximum number of pairs of a batch; in practice the number of tokens limits batches. */
  private static final int MOST_PAIRS = 1024;

  /** A measurement of a trained model, in inference mode and without recording gradients. */
  public interface Examination<R> {
    /**
     * Measures the model.
     *
     * @param course the losses on the validation pairs during training, in nats per token
     * @param traces the metrics that modules reported during training
     */
    R of(EncoderDecoder model, TrainingCurve course, List<Traces.Trace> traces);
  }

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return run(
        session.seed(),
        done -> session.progress().at(done, ""),
        (model, course, traces) ->
            TrainingResult.of(course, steps, model.parameterCount(), Map.of())
                .with("bleu", texts.bleu(model)));
  }

  /** Returns a trial that trains in the same way and returns the result of an examination. */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<R> examination) {
    return Trial.of(
        kind, session -> run(session.seed(), done -> session.progress().at(done, ""), examination));
  }

  /** Trains a model with a seed and examines it. */
  public <R> R run(long seed, DoubleConsumer progress, Examination<R> examination) {
    Traces traces = new Traces();
    return TrialTraining.run(
        Training.of(recipe(seed), data()),
        EncoderDecoder.class,
        (done, detail) -> progress.accept(done),
        model -> traces,
        (model, result) -> examination.of(model, TrialTraining.curve(result), traces.all()));
  }

  private PreparedData data() {
    return TranslationJob.of(texts.training(), texts.validation(), texts.tokenizer());
  }

  private Recipe recipe(long seed) {
    TranslationData data =
        new TranslationData()
            .with(
                d ->
                    d.tokens(scale.pick(64, 512, 4096))
                        .smoothing(SMOOTHING)
                        .select(TranslationData.Select.LOSS));
    return new Recipe(config(), data, training(seed)).withObjective(objective);
  }

  /**
   * Measures the median seconds of the forward and backward pass of one update, of untrained models
   * in turns.
   */
  public static List<Double> secondsOfPasses(List<TranslationTrial> trials, int rounds) {
    List<EncoderDecoder> models = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      List<Runnable> work = new ArrayList<>();
      for (TranslationTrial trial : trials) {
        Random.seed(1);
        EncoderDecoder model = trial.texts.fit(trial.config()).build();
        models.add(model);
        PreparedData data = trial.data();
        Task task = trial.objective.of(data.task(model, trial.recipe(1), PreparedData.USUAL));
        AtomicLong next = new AtomicLong();
        work.add(
            () -> {
              model.clearGrads();
              try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
                auxiliary.addTo(task.loss(next.getAndIncrement())).backward();
              }
            });
      }
      return InterleavedTimer.seconds(work, 3, rounds);
    } finally {
      models.forEach(EncoderDecoder::close);
    }
  }

  /** Returns the width of the models at a scale. */
  public static int width(Scale scale) {
    return scale.pick(16, 64, 512);
  }

  private EncoderDecoder.Config config() {
    EncoderDecoder.Config plain = new EncoderDecoder.Config();
    int layers = scale.pick(1, 2, 6);
    return plain
        .with(
            c ->
                c.encoderLayers(layers)
                    .decoderLayers(layers)
                    .width(width(scale))
                    .length(scale.pick(32, 64, 256))
                    .shared(true)
                    .tied(true))
        .withBlock(
            b -> b.mixer(new SoftmaxAttention.Config(4, 0)).ffn(ffn).bias(true).dropout(0.1));
  }

  private TrainingConfig training(long seed) {
    int every = Math.max(1, steps / EVALUATIONS);
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(MOST_PAIRS)
                    .learningRate(scale.pick(3e-3, 3e-3, 1e-3))
                    .schedule(new Schedule(Schedule.Shape.COSINE, steps / 5, 0.02))
                    .optimizer(new AdamW.Config(0.9, 0.98, 1e-9, 1e-4))
                    .evaluateEvery(every)
                    .checkpointEvery(every)
                    .seed(seed));
  }

  /**
   * Returns the share of tokens of the validation pairs that each expert processes, sorted in
   * descending order and averaged over the layers.
   */
  public List<Double> load(EncoderDecoder model) {
    ExpertLoad load =
        ExpertLoad.of(
            model, () -> Translation.evaluate(model, texts.tokens(texts.validation(), model)));
    double[] sums = null;
    for (ExpertLoad.Layer layer : load.layers().values()) {
      List<Double> sorted =
          layer.shares().stream().sorted(Comparator.<Double>reverseOrder()).toList();
      sums = sums == null ? new double[sorted.size()] : sums;
      for (int e = 0; e < sums.length; e++) {
        sums[e] += sorted.get(e) / load.layers().size();
      }
    }
    List<Double> shares = new ArrayList<>();
    for (double sum : sums) {
      shares.add(sum);
    }
    return shares;
  }
}
