package dev.jformer.studies.trial;

import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.decode.AnswerScores;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Trial;
import dev.jformer.train.AnswerModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Trains a causal language model to answer the prompts of a problem, and lets it answer held-out
 * prompts of that problem and of others with the same symbols, such as longer ones.
 *
 * @param problem what is learned
 * @param samples number of different examples to train on; 0 for new ones always
 * @param rows how examples are learned
 * @param tests problems to be tested on, with the symbols of {@code problem}
 * @param answers answers to each
 * @param model its vocabulary is set to that of the problem
 * @param training its seed is set to that of the session
 */
public record AlgorithmTrial(
    Problem problem,
    int samples,
    ExampleRows rows,
    List<Problem> tests,
    int answers,
    CausalLm.Config model,
    TrainingConfig training)
    implements Trial<AlgorithmTrial.Result> {
  /**
   * What came of it.
   *
   * @param accuracies of each test, 0 to 1
   * @param byTrait of the first test, by the name of a trait and its value
   * @param course loss on held-out answers and times
   */
  public record Result(
      List<Double> accuracies, Map<String, Map<Integer, Double>> byTrait, TrainingResult course) {
    /** The accuracy of a test in percent. */
    public double percent(int test) {
      return 100 * accuracies.get(test);
    }
  }

  /** Checks that the tests have the symbols of the problem. */
  public AlgorithmTrial {
    tests = List.copyOf(tests);
    for (Problem test : tests) {
      if (!test.symbols().equals(problem.symbols())) {
        throw new IllegalArgumentException(
            test + " has other symbols than " + problem + ": expected the same");
      }
    }
  }

  /** A trial that tests on the problem that is learned. */
  public AlgorithmTrial(
      Problem problem, int samples, int answers, CausalLm.Config model, TrainingConfig training) {
    this(problem, samples, ExampleRows.ANSWERS, List.of(problem), answers, model, training);
  }

  @Override
  public Class<Result> kind() {
    return Result.class;
  }

  @Override
  public Result run(Session session) {
    CausalLm.Config fitted = model.withVocab(new Alphabet(problem).size());
    return new TaskTrial<>(
            fitted::build,
            training,
            (built, own) ->
                new AnswerModelling(
                    built,
                    problem,
                    new Examples(problem, samples, training.batch(), own.seed()),
                    Math.min(100, answers),
                    rows))
        .examine(
            session,
            (built, task, course) -> {
              List<AnswerScores> scores = new ArrayList<>();
              for (Problem test : tests) {
                scores.add(
                    AnswerScores.of(
                        built, test, new Examples(test, 0, 1, session.seed()).heldOut(answers)));
              }
              return new Result(
                  scores.stream().map(AnswerScores::accuracy).toList(),
                  scores.get(0).byTrait(),
                  course);
            });
  }
}
