package dev.jformer.studies.incontext;

import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.InContextModel;
import dev.jformer.model.InContextModel.Prediction;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.studies.Trial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.ErrorCurve;
import dev.jformer.train.InContextLearning;
import dev.jformer.train.TrainingConfig;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The size of models that learn functions in context, and of their training.
 *
 * @param layers number of blocks
 * @param width of the stream
 * @param heads of attention
 * @param examples T, in a prompt
 * @param steps updates
 * @param batch prompts in an update
 * @param evaluated prompts that models and solvers are measured on
 * @param rate the learning rate
 * @param deviation of the weights at the start
 */
record ContextModels(
    int layers,
    int width,
    int heads,
    int examples,
    int steps,
    int batch,
    int evaluated,
    double rate,
    double deviation) {
  /** Models that begin and are trained as others are. */
  ContextModels(
      int layers, int width, int heads, int examples, int steps, int batch, int evaluated) {
    this(
        layers,
        width,
        heads,
        examples,
        steps,
        batch,
        evaluated,
        1e-3,
        new BlockContext.Init().deviation());
  }

  /**
   * The same models with weights that begin as large as their width allows, one over its root. With
   * GPT-2's deviation of 0.02, narrow models stay at the constant prediction for thousands of
   * updates.
   */
  ContextModels withLargerStart(double rate) {
    return new ContextModels(
        layers, width, heads, examples, steps, batch, evaluated, rate, 1 / Math.sqrt(width));
  }

  /** Draws the prompts that models and solvers are measured on; no training has this seed. */
  private static final long EVALUATION = 1_000_003;

  /** The prompts that are measured. */
  Prompts prompts(FunctionClass functions) {
    return prompts(functions, examples);
  }

  /** As above, with another number of examples. */
  Prompts prompts(FunctionClass functions, int length) {
    return new PromptSource(functions, length, 1, EVALUATION).heldOut(evaluated);
  }

  ContextModels withSteps(int other) {
    return new ContextModels(
        layers, width, heads, examples, other, batch, evaluated, rate, deviation);
  }

  ContextModels withExamples(int other) {
    return new ContextModels(layers, width, heads, other, steps, batch, evaluated, rate, deviation);
  }

  /** Softmax attention over all tokens before. */
  TokenMixer.Config attention() {
    return new SoftmaxAttention.Config(heads, 0);
  }

  /**
   * A model for a class of functions.
   *
   * @param positions whether it learns positions; mixers without attention know the order anyway
   */
  InContextModel.Config model(
      FunctionClass functions, TokenMixer.Config mixer, Prediction prediction, boolean positions) {
    return new InContextModel.Config()
        .with(c -> c.inputs(functions.inputs()).length(examples).prediction(prediction))
        .withStack(
            s ->
                s.layers(layers)
                    .width(width)
                    .position(positions ? new LearnedPosition.Config() : new NoPosition.Config()))
        .withBlock(b -> b.mixer(mixer).init(new BlockContext.Init(deviation, true)));
  }

  /** A trial that trains a model and measures its errors on {@link #prompts}. */
  Trial<ContextResult> trial(FunctionClass functions, InContextModel.Config model) {
    return trial(
        functions, model, built -> ErrorCurve.of(built, prompts(functions), functions.isBoolean()));
  }

  /** As above, with measurements of another kind. */
  Trial<ContextResult> trial(
      FunctionClass functions,
      InContextModel.Config model,
      Function<InContextModel, ErrorCurve> measured) {
    return trained(
        functions,
        model,
        ContextResult.class,
        (built, result) ->
            new ContextResult(
                measured.apply(built).errors(), result.seconds(), built.parameterCount()));
  }

  /** A trial that trains a model and returns what an examination finds. */
  <R extends Record> Trial<R> trained(
      FunctionClass functions,
      InContextModel.Config model,
      Class<R> kind,
      BiFunction<InContextModel, TrainingResult, R> examination) {
    TrainingConfig training =
        Small.training(steps, batch, 1).withLearningRate(rate).withEvaluateEvery(steps);
    return new TaskTrial<InContextModel, InContextLearning>(
            model::build,
            training,
            (built, session) ->
                new InContextLearning(
                    built,
                    new PromptSource(functions, examples, batch, session.seed()),
                    Math.min(64, evaluated)))
        .examined(kind, (built, task, result) -> examination.apply(built, result));
  }

  /** The errors of a solver on {@link #prompts}. */
  ContextResult solve(FunctionClass functions, Learner learner) {
    return ContextResult.of(ErrorCurve.of(learner, prompts(functions), functions.isBoolean()));
  }
}
