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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

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

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return examine(session, (model, result) -> result.with("bleu", texts.bleu(model)));
  }

  /** Returns a trial that trains in the same way and returns the result of an examination. */
  public <R extends Record> Trial<R> examined(
      Class<R> kind, Examination<EncoderDecoder, R> examination) {
    return Trial.of(kind, session -> examine(session, examination));
  }

  /** Trains once, as a trial that is {@link #examined}; the result of the training has traces. */
  private <R> R examine(Session session, Examination<EncoderDecoder, R> examination) {
    Traces traces = new Traces();
    return TrialTraining.run(
        Training.of(recipe(session.seed()), data()),
        EncoderDecoder.class,
        session.progress(),
        model -> traces,
        (model, result) -> examination.of(model, result.withTraces(traces.all())));
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
   * Measures the forward and backward pass of one update, of untrained models in turns.
   *
   * @param rounds at least 1, after some that do not count
   */
  public static TimedArms passes(Map<String, TranslationTrial> trials, int rounds) {
    List<EncoderDecoder> models = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Map<String, Runnable> work = new LinkedHashMap<>();
      trials.forEach(
          (name, trial) -> {
            Random.seed(1);
            EncoderDecoder model = trial.texts.fit(trial.config()).build();
            models.add(model);
            work.put(name, trial.pass(model));
          });
      return TimedArms.measure(work, 3, rounds);
    } finally {
      models.forEach(EncoderDecoder::close);
    }
  }

  private Runnable pass(EncoderDecoder model) {
    Task task = objective.of(data().task(model, recipe(1), PreparedData.USUAL));
    AtomicLong next = new AtomicLong();
    return () -> {
      model.clearGrads();
      try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
        auxiliary.addTo(task.loss(next.getAndIncrement())).backward();
      }
    };
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
    return ExpertLoad.of(
            model, () -> Translation.evaluate(model, texts.tokens(texts.validation(), model)))
        .sharesInOrder();
  }
}
