package dev.jformer.train;

import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.text.SampleRows;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * How well a model predicts each symbol of answers, given the right symbols before it: by its place
 * in the answer, or by what it needs, as in <a href="https://arxiv.org/abs/2407.15360">Dissecting
 * Multiplication in Transformers: Insights into LLMs</a>.
 *
 * @param losses of each example's symbols in nats, the end of the answer left out
 * @param right whether the most probable symbol is the right one, likewise
 */
public record AnswerSymbols(List<List<Double>> losses, List<List<Boolean>> right) {
  private static final int ROWS = 256;

  /** Checks that there is a prediction for each loss. */
  public AnswerSymbols {
    losses = losses.stream().map(List::copyOf).toList();
    right = right.stream().map(List::copyOf).toList();
    if (!losses.stream().map(List::size).toList().equals(right.stream().map(List::size).toList())) {
      throw new IllegalArgumentException("losses and predictions are not of the same symbols");
    }
  }

  /**
   * Measures a model on examples.
   *
   * @param model in inference mode
   */
  public static AnswerSymbols of(CausalLm model, Problem problem, List<Example> examples) {
    Alphabet alphabet = new Alphabet(problem);
    List<List<Double>> losses = new ArrayList<>();
    List<List<Boolean>> right = new ArrayList<>();
    for (int from = 0; from < examples.size(); from += ROWS) {
      List<Example> some = examples.subList(from, Math.min(examples.size(), from + ROWS));
      try (Scope scope = Scope.open()) {
        SampleRows rows =
            SampleRows.of(
                some.stream().map(example -> alphabet.encode(example, false)).toList(),
                alphabet.end());
        Tensor logits = model.logitsAt(rows.ids(), rows.positions()).to(DType.FLOAT32);
        double[] each = Functional.crossEntropyEach(logits, rows.targets(), -1).toDoubles();
        long[] chosen = logits.argmax(-1).toLongs();
        long[] targets = rows.targets().toLongs();
        int next = 0;
        for (int count : rows.rows()) {
          List<Double> ofOne = new ArrayList<>();
          List<Boolean> hits = new ArrayList<>();
          for (int i = next; i < next + count - 1; i++) {
            ofOne.add(each[i]);
            hits.add(chosen[i] == targets[i]);
          }
          losses.add(ofOne);
          right.add(hits);
          next += count;
        }
      }
    }
    return new AnswerSymbols(losses, right);
  }

  /** The mean loss at each place of an answer; answers that are shorter do not count there. */
  public List<Double> lossByPlace() {
    Map<Integer, double[]> sums = new TreeMap<>();
    for (List<Double> of : losses) {
      for (int place = 0; place < of.size(); place++) {
        add(sums, place, of.get(place));
      }
    }
    return sums.values().stream().map(sum -> sum[0] / sum[1]).toList();
  }

  /**
   * The share of right predictions by a label of each symbol.
   *
   * @param labels of the symbols of an example, which is given by its number
   * @return only labels that occur
   * @throws IllegalArgumentException if an example has another number of labels than symbols
   */
  public <K extends Comparable<K>> Map<K, Double> rightBy(
      Function<Integer, ? extends List<K>> labels) {
    Map<K, double[]> sums = new TreeMap<>();
    for (int number = 0; number < right.size(); number++) {
      List<Boolean> hits = right.get(number);
      List<K> of = labels.apply(number);
      if (of.size() != hits.size()) {
        throw new IllegalArgumentException(
            "example " + number + " has " + of.size() + " labels: expected " + hits.size());
      }
      for (int i = 0; i < hits.size(); i++) {
        add(sums, of.get(i), hits.get(i) ? 1 : 0);
      }
    }
    Map<K, Double> shares = new TreeMap<>();
    sums.forEach((label, sum) -> shares.put(label, sum[0] / sum[1]));
    return shares;
  }

  private static <K> void add(Map<K, double[]> sums, K key, double value) {
    double[] sum = sums.computeIfAbsent(key, k -> new double[2]);
    sum[0] += value;
    sum[1]++;
  }
}
