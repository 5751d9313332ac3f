package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.TokenFile;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.RecurrenceConfig;
import dev.jformer.model.RecurrentLm;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.RecurrentModelling;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Recurrence added to a pretrained decoder (<a href="https://arxiv.org/abs/2008.07027">Adding
 * Recurrence to Pretrained Transformers for Improved Efficiency and Context Size</a>): a language
 * model of bytes learns from long windows, and is then tuned to short ones, alone or with a state
 * that is carried from each to the next.
 */
final class RecurrencePart {
  private static final String PLAIN = "plain windows";
  private static final String CARRIED = "state, mean";
  private static final String GATED = "state, last token, gated";
  private static final String FROZEN = "state, model frozen";
  private static final String ALONE = "alone";
  private static final String SHUFFLED = "shuffled";
  private static final String COMPUTE = "compute";
  private static final double RATE = 1e-3;
  private static final int STREAMS = 16;

  /** The settings of the part at a scale. */
  private record Size(
      int layers, int width, int length, int window, int windows, int pretraining, int tuning) {}

  private final ExperimentContext lab;
  private final Size size;
  private final int batch;

  /** The states of other texts of a batch. */
  private static Tensor ofOthers(Tensor state) {
    return state.roll(1, 0);
  }

  private RecurrencePart(ExperimentContext lab) {
    this.lab = lab;
    this.size =
        lab.pick(
            new Size(2, 16, 32, 8, 2, 2, 2),
            new Size(2, 64, 128, 16, 8, 600, 300),
            new Size(6, 384, 1024, 64, 16, 20_000, 4000));
    this.batch = lab.pick(2, 12, 16);
  }

  /** Measures and reports. */
  static void run(ExperimentContext lab) {
    new RecurrencePart(lab).run();
  }

  private RecurrenceConfig recurrence() {
    return new RecurrenceConfig()
        .with(r -> r.window(size.window()).windows(size.windows()).layer(1).slots(2));
  }

  private void run() {
    int seeds = lab.pick(1, 3, 3);
    RecurrenceConfig carried = recurrence();
    Measured<TrainingResult> runs =
        Arms.<RecurrenceConfig>ofControl(PLAIN, null)
            .arm(CARRIED, carried)
            .arm(
                GATED,
                carried.with(
                    r ->
                        r.pooling(RecurrenceConfig.Pooling.LAST)
                            .update(RecurrenceConfig.Update.GATED)))
            .arm(FROZEN, carried.withFrozen(true))
            .learn(lab, "recurrence", seeds, this::trial);
    claims(runs);
    lab.table(
        runs.table(
            "A language model of %d bytes tuned to windows of %d, equal compute"
                .formatted(size.length(), size.window()),
            "arm",
            column("loss", "nats a byte", TrainingResult::finalLoss),
            column("each window alone", run -> run.metric(ALONE)),
            column("with the state of another text", run -> run.metric(SHUFFLED)),
            fixed("updates", TrainingResult::steps),
            column("operations of an update, 1e9", run -> run.metric(COMPUTE) / 1e9),
            column("seconds", TrainingResult::seconds)));
    lab.figure(
        runs.without(FROZEN)
            .figure(
                "Tuning to windows of " + size.window() + " bytes, first seed",
                "updates",
                "held-out loss",
                TrainingResult::curve));
    lab.note(
        "Recurrence: %d layers of width %d learn for %,d updates of %d sequences of %d bytes, and"
            + " are tuned for %d updates of %d sequences of %d windows (peak rate %s, AdamW,"
            + " cosine), or as many as take the same operations of matrix products. Plain windows"
            + " are as many a batch. The state gives 2 keys and values to the second block;"
            + " gradients go back through all windows of a sequence. The held-out text is read from"
            + " its beginning to its end, in 16 streams side by side.",
        size.layers(),
        size.width(),
        size.pretraining(),
        batch,
        size.length(),
        size.tuning(),
        batch,
        size.windows(),
        RATE);
  }

  private void claims(Measured<TrainingResult> runs) {
    String loss = "loss (nats a byte)";
    lab.claim(
        "A pretrained model that carries a state reads windows of %d bytes with a lower loss than"
                .formatted(size.window())
            + " one tuned to plain windows of equal length at equal compute",
        "better perplexity for a given amount of computation (2008.07027, abstract)",
        PLAIN,
        Check.all(
            runs.below(loss, CARRIED, PLAIN, TrainingResult::finalLoss),
            runs.below(loss + ", gated", GATED, PLAIN, TrainingResult::finalLoss)));
    lab.claim(
        "What helps is the state of the same text: with that of another text the loss is higher",
        "",
        SHUFFLED,
        Check.all(worth(runs, CARRIED, SHUFFLED), worth(runs, GATED, SHUFFLED)));
    lab.claim(
        "The state helps a model whose own weights stay as they are, beside the same model without"
            + " a state",
        "",
        ALONE,
        worth(runs, FROZEN, ALONE));
  }

  /** What the loss rises by when the state is exchanged, which is to be above zero. */
  private static Check worth(Measured<TrainingResult> runs, String arm, String control) {
    Estimate rise = runs.beside(arm, arm, (a, b) -> a.metric(control) - b.finalLoss());
    return Check.above("rise of the loss, " + arm + " (nats a byte)", rise, 0);
  }

  /** The folder of the model that was pretrained with a seed. */
  private Path pretrained(Trial.Session session) {
    Path folder = lab.files("recurrence-pretrained-" + session.seed());
    if (Files.exists(folder.resolve(Models.CONFIG))) {
      return folder;
    }
    TrainingConfig training = Small.training(size.pretraining(), batch, session.seed());
    CausalLm.Config config = Small.language(size.layers(), size.width(), size.length(), 4);
    try (CausalLm model =
        new LanguageTrial(config, training)
            .trained(session.text(), done -> session.progress().at(done / 2, "pretraining"))) {
      Models.save(model, folder);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a model in " + folder, e);
    }
  }

  private RecurrentLm begin(Trial.Session session, RecurrenceConfig config) {
    Path folder = pretrained(session);
    try (Model plain = Models.load(folder)) {
      Random.seed(session.seed());
      RecurrentLm model = new RecurrentLm.Config((CausalLm.Config) plain.config(), config).build();
      model.copyFrom(plain);
      return model;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the model in " + folder, e);
    }
  }

  /** Plain windows are sequences of one window each, which have no state. */
  private Trial<TrainingResult> trial(RecurrenceConfig config) {
    boolean carries = config != null;
    RecurrenceConfig own = carries ? config : recurrence().withWindows(1);
    int sequences = carries ? batch : batch * size.windows();
    return Trial.of(
        TrainingResult.class,
        session -> {
          double mine = operations(session, own, sequences);
          double theirs = operations(session, recurrence(), batch);
          int steps = Math.max(1, (int) Math.floor(size.tuning() * theirs / mine));
          TrainingConfig training =
              Small.tuning(steps, sequences, RATE, 1).withEvaluateEvery(Math.max(1, steps / 3));
          return new TaskTrial<RecurrentLm, Task>(
                  each -> begin(each, own),
                  training,
                  (model, each) -> new Tuning(model, each.text(), sequences, each.seed(), carries),
                  (model, task) ->
                      Map.of(
                          COMPUTE,
                          mine,
                          ALONE,
                          loss(model, session.text(), state -> null),
                          SHUFFLED,
                          carries
                              ? loss(model, session.text(), RecurrencePart::ofOthers)
                              : Double.NaN))
              .run(session);
        });
  }

  /**
   * The operations of matrix products of an update, whose backward pass takes twice the forward.
   */
  private double operations(Trial.Session session, RecurrenceConfig config, int sequences) {
    try (Scope scope = Scope.open();
        RecurrentLm model = begin(session, config);
        Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.zeros(DType.INT64, sequences, model.config().sequence());
      return 3 * Flops.of(() -> model.logits(ids));
    }
  }

  /** The loss on held-out text; see {@link RecurrentModelling#evaluate}. */
  private double loss(RecurrentLm model, TokenFile text, UnaryOperator<Tensor> carried) {
    try (Scope scope = Scope.open()) {
      int limit = lab.pick(2, Integer.MAX_VALUE, Integer.MAX_VALUE);
      return RecurrentModelling.evaluate(model, text, STREAMS, size.window(), limit, carried);
    }
  }

  /** The task of an arm, whose models are all evaluated on the same streams. */
  private final class Tuning extends ForwardingTask {
    private final RecurrentLm model;
    private final TokenFile text;
    private final boolean carries;
    private final RecurrentModelling task;

    Tuning(RecurrentLm model, TokenFile text, int sequences, long seed, boolean carries) {
      this(model, text, carries, new RecurrentModelling(model, text, sequences, seed, 1));
    }

    private Tuning(RecurrentLm model, TokenFile text, boolean carries, RecurrentModelling task) {
      super(task);
      this.model = model;
      this.text = text;
      this.carries = carries;
      this.task = task;
    }

    @Override
    public Tensor loss(long index) {
      return task.loss(index);
    }

    @Override
    public Metrics evaluate() {
      UnaryOperator<Tensor> carried = carries ? state -> state : state -> null;
      return Metrics.ofLoss(RecurrencePart.this.loss(model, text, carried), "nats per token");
    }
  }
}
