package dev.jformer.studies.trial;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.text.TokenFile;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Objective;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.TrainingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Training a language model to see what comes of it. A loss that ceases to be a number is an
 * outcome here, not an error.
 *
 * @param model what is trained
 * @param training how; its steps are the budget
 * @param evaluationBatches the most batches of held-out text an evaluation looks at
 * @param observer is told of each update and evaluation; may be null
 * @param objective what is made small
 * @param listener made for the model before it learns, and told of each update; may give null
 */
public record LanguageTrial(
    CausalLm.Config model,
    TrainingConfig training,
    long evaluationBatches,
    Observer observer,
    Objective objective,
    Function<? super CausalLm, ? extends Listener> listener)
    implements Trial<TrainingResult> {
  private static final int STRETCHES = 100;

  /** Looks at a model while it learns; not counted as training time. */
  public interface Observer {
    /** After every evaluation, with the model in inference mode and no gradients recorded. */
    void evaluated(CausalLm model, long step, double loss);
  }

  /** With the task's own loss. */
  public LanguageTrial(
      CausalLm.Config model, TrainingConfig training, long evaluationBatches, Observer observer) {
    this(model, training, evaluationBatches, observer, new Objective.Plain(), built -> null);
  }

  /** Without an observer, evaluating on at most 40 batches. */
  public LanguageTrial(CausalLm.Config model, TrainingConfig training) {
    this(model, training, 40, null);
  }

  /** The same with another objective. */
  public LanguageTrial withObjective(Objective other) {
    return new LanguageTrial(model, training, evaluationBatches, observer, other, listener);
  }

  /** The same with a listener. */
  public LanguageTrial withListener(Function<? super CausalLm, ? extends Listener> made) {
    return new LanguageTrial(model, training, evaluationBatches, observer, objective, made);
  }

  /** The same with another seed. */
  public LanguageTrial withSeed(long seed) {
    return new LanguageTrial(
        model, training.withSeed(seed), evaluationBatches, observer, objective, listener);
  }

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  /** Trains on the session's text. A trial with an observer keeps no checkpoints. */
  @Override
  public TrainingResult run(Session session) {
    return withSeed(session.seed()).run(session.text(), session.progress(), session.unfinished());
  }

  /**
   * Trains on {@code text} with the seed of {@link #training}.
   *
   * @param unfinished folder where checkpoints go, and where an interrupted training of the same
   *     trial is taken up; null for none. A trial with an observer always begins anew.
   */
  public TrainingResult run(TokenFile text, Progress progress, Path unfinished) {
    TrainingResult[] result = new TrainingResult[1];
    Path folder = observer == null ? unfinished : null;
    long peak =
        Memory.peakOf(() -> result[0] = train(text, progress, folder, (model, found) -> found));
    TrainingResult l = result[0];
    return new TrainingResult(
        l.training(),
        l.validation(),
        l.finalLoss(),
        l.steps(),
        l.seconds(),
        l.unitsPerSecond(),
        l.parameters(),
        peak,
        l.flopsPerUnit(),
        l.diverged());
  }

  /**
   * The same with results of another kind, which an examination finds. It keeps no checkpoints, and
   * its training result says nothing of memory.
   */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<CausalLm, R> examination) {
    return Trial.of(
        kind,
        session ->
            withSeed(session.seed()).train(session.text(), session.progress(), null, examination));
  }

  private <R> R train(
      TokenFile text, Progress progress, Path folder, Examination<CausalLm, R> examination) {
    try (Scope scope = Scope.open()) {
      Random.seed(training.seed());
      CausalLm lm = model.build();
      try {
        LanguageModelling task =
            new LanguageModelling(lm, text, training.batch(), training.seed(), evaluationBatches);
        Task learned = objective.of(task);
        double flops = 3 * flops(lm) * passes(task, learned);
        Diary diary = new Diary(lm, progress, folder);
        boolean diverged = false;
        try (Trainer trainer = new Trainer(lm, learned, training, folder)) {
          trainer.addListener(diary);
          Stream.ofNullable(listener.apply(lm)).forEach(trainer::addListener);
          if (folder != null && Trainer.canResume(folder)) {
            trainer.resume();
            diary.resume(trainer.step());
          }
          trainer.run();
        } catch (TrainingException e) {
          diverged = true;
        }
        lm.train(false);
        try (Mode mode = Autograd.noGrad()) {
          return examination.of(
              lm, diary.learned(task.unitsPerBatch(), lm.parameterCount(), flops, diverged));
        }
      } finally {
        lm.close();
      }
    }
  }

  private double flops(CausalLm lm) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      lm.train(false);
      Tensor ids = Tensor.zeros(DType.INT64, 1, model.length());
      double flops = Flops.of(() -> lm.logits(ids)) / model.length();
      lm.train(true);
      Random.restore(random);
      return flops;
    }
  }

  /** How many times the operations of the task's own loss an objective takes. */
  private double passes(Task task, Task learned) {
    if (task == learned) {
      return 1;
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      double own = Flops.of(() -> task.loss(0));
      double all = Flops.of(() -> learned.loss(0));
      Random.restore(random);
      return all / own;
    }
  }

  /** What is kept of an unfinished training beside the trainer's own checkpoint. */
  private record Page(
      List<TrainingResult.Point> losses,
      List<TrainingResult.Point> evaluations,
      double seconds,
      double firstSeconds) {}

  private final class Diary implements Listener {
    private final CausalLm lm;
    private final Progress progress;
    private final Path folder;
    private final List<TrainingResult.Point> losses = new ArrayList<>();
    private final List<TrainingResult.Point> evaluations = new ArrayList<>();
    private final int stretch = Math.max(1, training.steps() / STRETCHES);
    private long mark = System.nanoTime();
    private double seconds;
    private double firstSeconds;
    private long steps;
    private double sum;
    private int count;

    Diary(CausalLm lm, Progress progress, Path folder) {
      this.lm = lm;
      this.progress = progress;
      this.folder = folder;
    }

    @Override
    public void step(Step step) {
      long now = System.nanoTime();
      seconds += (now - mark) / 1e9;
      if (step.step() == 1) {
        firstSeconds = seconds; // includes what is set up once
      }
      steps = step.step();
      sum += step.loss();
      count++;
      if (count == stretch) {
        losses.add(new TrainingResult.Point(steps, seconds, sum / count));
        sum = 0;
        count = 0;
      }
      keep();
      progress.at(
          (double) steps / training.steps(),
          String.format(
              Locale.ROOT, "loss %.3f, %,.0f tokens/s", step.loss(), step.unitsPerSecond()));
      mark = System.nanoTime();
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      evaluations.add(new TrainingResult.Point(evaluation.step(), seconds, evaluation.value()));
      if (observer != null) {
        observer.evaluated(lm, evaluation.step(), evaluation.value());
      }
      keep();
      mark = System.nanoTime();
    }

    private void keep() {
      if (folder == null || steps % training.checkpointEvery() != 0) {
        return;
      }
      try {
        Files.createDirectories(folder);
        Page page = new Page(losses, evaluations, seconds, firstSeconds);
        AtomicFile.write(page(steps), new JsonMapper().writeValueAsBytes(page));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot keep the course of the training in " + folder, e);
      }
    }

    private Path page(long step) {
      return folder.resolveSibling(folder.getFileName() + "-" + step + ".json");
    }

    void resume(long step) {
      try {
        Page page = new JsonMapper().readValue(page(step).toFile(), Page.class);
        losses.addAll(page.losses());
        evaluations.addAll(page.evaluations());
        seconds = page.seconds();
        firstSeconds = page.firstSeconds();
        steps = step;
      } catch (IOException e) {
        throw new UncheckedIOException(
            "cannot go on with the training kept in " + folder + "; delete it to begin anew", e);
      }
      mark = System.nanoTime();
    }

    TrainingResult learned(long unitsPerBatch, long parameters, double flops, boolean diverged) {
      double loss =
          diverged || evaluations.isEmpty()
              ? Double.POSITIVE_INFINITY
              : evaluations.get(evaluations.size() - 1).loss();
      double pace =
          (steps - 1.0) * unitsPerBatch * training.accumulate() / (seconds - firstSeconds);
      return new TrainingResult(
          List.copyOf(losses),
          List.copyOf(evaluations),
          loss,
          steps,
          seconds,
          pace,
          parameters,
          -1,
          flops,
          diverged);
    }
  }
}
