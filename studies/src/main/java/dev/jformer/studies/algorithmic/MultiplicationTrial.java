package dev.jformer.studies.algorithmic;

import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Multiplication;
import dev.jformer.data.algorithm.Multiplication.SubTask;
import dev.jformer.decode.AnswerScores;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.AttentionWeights;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Trial;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AnswerModelling;
import dev.jformer.train.AnswerSymbols;
import dev.jformer.train.Classifying;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.Passes;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Trains a small decoder to multiply, follows the loss of each digit, and looks at what went wrong
 * and where the heads look. Digits are counted from the product's last one, in whatever order they
 * are written.
 *
 * @param problem what is learned
 * @param test what is tested: the same products, all equally often
 * @param answers number of products that are tested
 * @param model its vocabulary is set to that of the problem
 */
record MultiplicationTrial(
    Multiplication problem,
    Multiplication test,
    int answers,
    CausalLm.Config model,
    TrainingConfig training)
    implements Trial<MultiplicationTrial.Result> {
  /** The most products of which a digit's loss is measured during the training. */
  private static final int MOST_FOLLOWED = 256;

  /**
   * What came of it.
   *
   * @param accuracy share of products that are right
   * @param wrongByChain share of wrong products by the most successive carries
   * @param wrongByTask share of wrong digits by what they need, given the right digits before them
   * @param digits the loss of each digit, the product's last one first, at each evaluation
   * @param heads for each head, the place in the prompt that it attends to most for each digit, and
   *     the weight
   */
  record Result(
      double accuracy,
      Map<Integer, Double> wrongByChain,
      Map<SubTask, Double> wrongByTask,
      List<List<Double>> digits,
      List<Head> heads,
      TrainingResult course) {
    /** The share of right products in percent. */
    double percent() {
      return 100 * accuracy;
    }

    /** The mean of a digit's loss over the training. */
    double meanLoss(int digit) {
      return digits.get(digit).stream().mapToDouble(loss -> loss).average().orElseThrow();
    }

    /** The share of wrong digits in percent of those that need something; 0 if there are none. */
    double wrong(SubTask task) {
      return 100 * wrongByTask.getOrDefault(task, 0.0);
    }
  }

  /**
   * Where a head looks.
   *
   * @param layer from 1
   * @param head from 1
   * @param places for each digit of the product, the place of the prompt with the largest mean
   *     weight, the prompt's first symbol being 0
   * @param weights the mean weights there
   */
  record Head(int layer, int head, List<Integer> places, List<Double> weights) {}

  @Override
  public Class<Result> kind() {
    return Result.class;
  }

  @Override
  public Result run(Session session) {
    CausalLm.Config fitted = model.withVocab(new Alphabet(problem).size());
    return new TaskTrial<CausalLm, Followed>(
            fitted::build,
            training,
            (built, own) ->
                new Followed(
                    new AnswerModelling(
                        built,
                        problem,
                        new Examples(problem, 0, training.batch(), own.seed()),
                        followed(),
                        ExampleRows.ANSWERS),
                    built,
                    test,
                    new Examples(test, 0, 1, own.seed()).heldOut(followed())))
        .examine(session, (built, task, course) -> examine(built, task, course, session.seed()));
  }

  private int followed() {
    return Math.min(MOST_FOLLOWED, answers);
  }

  private Result examine(CausalLm built, Followed task, TrainingResult course, long seed) {
    List<Example> examples = new Examples(test, 0, 1, seed).heldOut(answers);
    AnswerScores scores = AnswerScores.of(built, test, examples);
    Map<Integer, Double> byChain = new TreeMap<>();
    scores
        .byTrait()
        .get("successive carries")
        .forEach((chain, right) -> byChain.put(chain, 1 - right));
    Map<SubTask, Double> byTask = new TreeMap<>();
    AnswerSymbols.of(built, test, examples)
        .<SubTask>rightBy(number -> test.tasks(examples.get(number)))
        .forEach((label, right) -> byTask.put(label, 1 - right));
    return new Result(
        scores.accuracy(), byChain, byTask, task.curves(), heads(built, examples), course);
  }

  /** Where each head looks when a digit is about to be written. */
  private List<Head> heads(CausalLm built, List<Example> examples) {
    Alphabet alphabet = new Alphabet(test);
    List<Example> some = examples.subList(0, followed());
    int digits = some.get(0).answer().size();
    int prompt = some.get(0).prompt().size();
    int length = prompt + digits - 1;
    long[] ids =
        some.stream()
            .flatMapToInt(
                example -> Arrays.stream(alphabet.encode(example, false).ids()).limit(length))
            .asLongStream()
            .toArray();
    double[][][][] weights = AttentionWeights.means(built, Tensor.of(ids, some.size(), length));
    List<Head> heads = new ArrayList<>();
    for (int layer = 0; layer < weights.length; layer++) {
      for (int head = 0; head < weights[layer].length; head++) {
        List<Integer> places = new ArrayList<>();
        List<Double> most = new ArrayList<>();
        for (int digit = 0; digit < digits; digit++) {
          double[] row = weights[layer][head][prompt - 1 + written(digit, digits)];
          int place =
              IntStream.range(0, prompt).reduce((a, b) -> row[b] > row[a] ? b : a).orElseThrow();
          places.add(place);
          most.add(row[place]);
        }
        heads.add(new Head(layer + 1, head + 1, places, most));
      }
    }
    return heads;
  }

  /** The place at which a digit is written, given its place from the product's end. */
  private int written(int digit, int digits) {
    return test.reversed() ? digit : digits - 1 - digit;
  }

  /** A task that also measures the loss of each digit whenever it is evaluated. */
  private static final class Followed extends ForwardingTask implements Classifying {
    private final AnswerModelling task;
    private final CausalLm model;
    private final Multiplication test;
    private final List<Example> examples;
    private final List<List<Double>> byEvaluation = new ArrayList<>();

    Followed(AnswerModelling task, CausalLm model, Multiplication test, List<Example> examples) {
      super(task);
      this.task = task;
      this.model = model;
      this.test = test;
      this.examples = examples;
    }

    @Override
    public Passes<CausalLm> passes(long index) {
      return task.passes(index);
    }

    @Override
    public Metrics evaluate() {
      List<Double> losses = new ArrayList<>(AnswerSymbols.of(model, test, examples).lossByPlace());
      if (!test.reversed()) {
        Collections.reverse(losses);
      }
      byEvaluation.add(losses);
      return super.evaluate();
    }

    /** The losses of each digit, the product's last one first. */
    List<List<Double>> curves() {
      int digits = byEvaluation.get(0).size();
      return IntStream.range(0, digits)
          .mapToObj(digit -> byEvaluation.stream().map(losses -> losses.get(digit)).toList())
          .toList();
    }
  }
}
