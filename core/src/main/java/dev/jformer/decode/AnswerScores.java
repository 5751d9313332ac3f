package dev.jformer.decode;

import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many answers of a model are right, symbol by symbol; of a derivation counts what it arrives
 * at.
 *
 * @param answers number of answers
 * @param right number of right ones
 * @param byTrait the share of right ones by the name of a trait, such as {@code length}, and its
 *     value
 */
public record AnswerScores(int answers, int right, Map<String, Map<Integer, Double>> byTrait) {
  private static final int TOGETHER = 256;

  /**
   * Lets a model answer the prompts of examples greedily.
   *
   * @param model in inference mode
   */
  public static AnswerScores of(CausalLm model, Problem problem, List<Example> examples) {
    Alphabet alphabet = new Alphabet(problem);
    List<int[]> answers =
        new GreedyAnswers(model, TOGETHER)
            .of(
                examples.stream().map(example -> alphabet.ids(example.prompt())).toList(),
                problem.mostSymbols(),
                alphabet::isComplete);
    Map<String, Map<Integer, int[]>> counts = new TreeMap<>();
    int right = 0;
    for (int i = 0; i < examples.size(); i++) {
      Example example = examples.get(i);
      List<String> answer = alphabet.known(answers.get(i));
      boolean isRight =
          !answer.isEmpty()
              && answer.get(answer.size() - 1).equals(Problem.END)
              && problem.result(withoutEnd(answer)).equals(problem.result(example.answer()));
      right += isRight ? 1 : 0;
      example
          .traits()
          .forEach(
              (name, value) -> {
                int[] count =
                    counts
                        .computeIfAbsent(name, n -> new TreeMap<>())
                        .computeIfAbsent(value, v -> new int[2]);
                count[0] += isRight ? 1 : 0;
                count[1]++;
              });
    }
    Map<String, Map<Integer, Double>> byTrait = new TreeMap<>();
    counts.forEach(
        (name, values) -> {
          Map<Integer, Double> shares = new TreeMap<>();
          values.forEach((value, count) -> shares.put(value, (double) count[0] / count[1]));
          byTrait.put(name, shares);
        });
    return new AnswerScores(examples.size(), right, byTrait);
  }

  private static List<String> withoutEnd(List<String> answer) {
    return answer.subList(0, answer.size() - 1);
  }

  /** The share of right answers. */
  public double accuracy() {
    return (double) right / answers;
  }

  /** The accuracy, then that by each trait that differs, as {@code accuracy, length 12}. */
  public Metrics metrics() {
    Metrics metrics = Metrics.of(Metric.higher(Metric.ACCURACY, accuracy(), ""));
    for (Map.Entry<String, Map<Integer, Double>> trait : byTrait.entrySet()) {
      if (trait.getValue().size() > 1) {
        for (Map.Entry<Integer, Double> value : trait.getValue().entrySet()) {
          String name = Metric.ACCURACY + ", " + trait.getKey() + " " + value.getKey();
          metrics = metrics.with(Metric.higher(name, value.getValue(), ""));
        }
      }
    }
    return metrics;
  }
}
