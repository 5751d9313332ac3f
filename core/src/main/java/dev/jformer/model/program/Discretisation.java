package dev.jformer.model.program;

import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.DiscretisationException;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.program.Step;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Turns the trained form of a {@link TransformerProgram} into a {@link DiscreteProgram}: every
 * choice becomes the best one, perceptrons become tables of all their inputs, and scores are
 * rounded to three decimals.
 *
 * <p>A perceptron of numbers is tabulated for all numbers that can occur if there are at most
 * {@value #ALL} pairs of them. Else it is tabulated for the numbers that occur on typical inputs;
 * another number then counts as the largest of those that is not above it.
 */
public final class Discretisation {
  /** Pairs of numbers up to which all are tabulated. */
  static final int ALL = 10_000;

  /** The most pairs of numbers in a table. */
  static final int MOST = 250_000;

  private final TransformerProgram model;
  private final LabelScheme scheme;
  private final List<int[]> typical;

  /**
   * Creates a method.
   *
   * @param scheme names of the tokens, as many as the model's vocabulary, and of the labels
   * @param typical typical inputs, codes of tokens; may be empty if the numbers are small
   * @throws DiscretisationException if the model has other numbers of tokens or labels
   */
  public Discretisation(TransformerProgram model, LabelScheme scheme, List<int[]> typical) {
    TransformerProgram.Config config = model.config();
    if (scheme.tokens().size() != config.vocab() || scheme.labels().size() != config.labels()) {
      throw new DiscretisationException(
          scheme.tokens().size()
              + " tokens and "
              + scheme.labels().size()
              + " labels are named, but the model has "
              + config.vocab()
              + " and "
              + config.labels()
              + ": give each a name");
    }
    this.model = model;
    this.scheme = scheme;
    this.typical = List.copyOf(typical);
  }

  /** Creates a method for a model that labels each of its tokens. */
  public Discretisation(
      TransformerProgram model, List<String> tokens, List<String> labels, List<int[]> typical) {
    this(
        model,
        new LabelScheme(
            tokens, labels, model.config().length(), model.config().causal(), LabelKind.TOKENS),
        typical);
  }

  /**
   * Makes the program.
   *
   * @param name of the class that it is written as
   * @throws DiscretisationException if a weight is not finite, or a table would be too large
   */
  public DiscreteProgram of(String name) {
    checkFinite();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      List<Step> steps = new ArrayList<>(lookups());
      List<Long> limits = new ArrayList<>(List.of(1L));
      for (int block = 0; block < model.blocks().size(); block++) {
        append(block, steps, limits);
      }
      return program(name, steps, scores());
    }
  }

  private void checkFinite() {
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (!parameter.value().isFinite().all()) {
                throw new DiscretisationException(
                    "the weight "
                        + name
                        + " is not finite, so that nothing can be chosen by it: train again with a"
                        + " lower learning rate");
              }
            });
  }

  private DiscreteProgram program(String name, List<Step> steps, DiscreteProgram.Scores scores) {
    return new DiscreteProgram(
        name, scheme.withLength(model.config().length()), model.config().values(), steps, scores);
  }

  /** The learned variables of tokens. */
  private List<Step> lookups() {
    List<Step> lookups = new ArrayList<>();
    if (model.codes() != null) {
      int[][] codes = rows(model.codes().transpose(0, 1));
      for (int i = 0; i < codes.length; i++) {
        lookups.add(new Step.Lookup("word" + (i + 1), codes[i]));
      }
    }
    return lookups;
  }

  /**
   * The places in the program of variables of the model. Where variables of tokens are learned, the
   * program has the token itself too, as its first one; then come the position and the learned
   * ones.
   */
  private int[] variables(Tensor logits) {
    int shift = model.codes() == null ? 0 : 1;
    return java.util.Arrays.stream(best(logits)).map(variable -> variable + shift).toArray();
  }

  /** The steps of a block. */
  private void append(int number, List<Step> steps, List<Long> limits) {
    TransformerProgram.Config config = model.config();
    ProgramBlock block = model.blocks().get(number);
    String place = (number + 1) + "_";
    int selecting = config.categoricalHeads();
    int[] queries = variables(block.queries.value());
    int[] keys = variables(block.keys.value());
    int[] values = variables(block.values.value());
    int[] counted = best(block.counted.value());
    int[][] wanted = rows(block.predicates.value());
    for (int i = 0; i < selecting; i++) {
      steps.add(
          new Step.Select("head" + place + (i + 1), queries[i], keys[i], values[i], wanted[i]));
    }
    for (int i = 0; i < config.numericalHeads(); i++) {
      int head = selecting + i;
      steps.add(
          new Step.Count(
              "count" + place + (i + 1), queries[head], keys[head], counted[i], wanted[head]));
      limits.add(limits.get(counted[i]) * config.length());
    }
    int[] read = variables(block.tables.read.value());
    Tensor pairs = pairsOfValues(config.values(), block.tables.count());
    int[][] made = rows(block.tables.of(pairs).transpose(1, 2));
    for (int i = 0; i < block.tables.count(); i++) {
      steps.add(
          new Step.Table(
              "table" + place + (i + 1),
              read[2 * i],
              read[2 * i + 1],
              square(made[i], config.values())));
    }
    int[] numbers = best(block.rules.read.value());
    Levels levels = new Levels(steps, limits);
    for (int i = 0; i < block.rules.count(); i++) {
      steps.add(
          rule("rule" + place + (i + 1), block, i, numbers[2 * i], numbers[2 * i + 1], levels));
    }
  }

  /** The numbers that are tabulated. */
  private final class Levels {
    private final List<Step> steps;
    private final List<Long> limits;
    private List<TreeSet<Integer>> seen;

    Levels(List<Step> steps, List<Long> limits) {
      this.steps = List.copyOf(steps);
      this.limits = limits;
    }

    boolean areFew(int first, int second) {
      return (limits.get(first) + 1) * (limits.get(second) + 1) <= ALL;
    }

    int[] all(int number) {
      return IntStream.rangeClosed(0, limits.get(number).intValue()).toArray();
    }

    int[] seen(int number, String name) {
      if (typical.isEmpty()) {
        throw new DiscretisationException(
            name
                + " reads numbers up to "
                + limits.get(number)
                + ", too many for a table of all: give typical inputs, so that those are tabulated"
                + " that occur, or train a model with fewer layers");
      }
      if (seen == null) {
        seen = new ArrayList<>();
        limits.forEach(limit -> seen.add(new TreeSet<>()));
        DiscreteProgram soFar = program("SoFar", steps, null);
        for (int[] sequence : typical) {
          List<int[]> all = soFar.compute(sequence).numbers();
          for (int i = 0; i < all.size(); i++) {
            for (int value : all.get(i)) {
              seen.get(i).add(value);
            }
          }
        }
      }
      return seen.get(number).stream().mapToInt(Integer::intValue).toArray();
    }
  }

  private Step rule(
      String name, ProgramBlock block, int rule, int first, int second, Levels levels) {
    boolean few = levels.areFew(first, second);
    int[] rows = few ? levels.all(first) : levels.seen(first, name);
    int[] columns = few ? levels.all(second) : levels.seen(second, name);
    if ((long) rows.length * columns.length > MOST) {
      throw new DiscretisationException(
          name
              + " reads "
              + rows.length
              + " and "
              + columns.length
              + " different numbers: expected at most "
              + MOST
              + " pairs; train a model with fewer layers, or for shorter sequences");
    }
    float[] pairs = new float[2 * rows.length * columns.length];
    for (int i = 0; i < rows.length; i++) {
      for (int j = 0; j < columns.length; j++) {
        pairs[2 * (i * columns.length + j)] = rows[i];
        pairs[2 * (i * columns.length + j) + 1] = columns[j];
      }
    }
    Tensor read =
        Tensor.of(pairs, 1, (long) rows.length * columns.length, 2)
            .expand(block.rules.count(), (long) rows.length * columns.length, 2)
            .transpose(1, 2);
    int[] made = best(block.rules.of(read).select(0, rule).t());
    return new Step.NumberTable(name, first, second, rows, columns, square(made, columns.length));
  }

  private DiscreteProgram.Scores scores() {
    TransformerProgram.Config config = model.config();
    double[] all = rounded(model.scores());
    double[] numbers = rounded(model.numberScores());
    int count = config.labels();
    int shift = model.codes() == null ? 0 : 1;
    double[][][] categorical = new double[shift + (int) model.scores().size(0)][][];
    for (int v = shift; v < categorical.length; v++) {
      categorical[v] = new double[config.values()][];
      for (int value = 0; value < config.values(); value++) {
        categorical[v][value] = part(all, (v - shift) * config.values() + value, count);
      }
    }
    double[][] byNumber = new double[(int) model.numberScores().size(0)][];
    for (int n = 0; n < byNumber.length; n++) {
      byNumber[n] = part(numbers, n, count);
    }
    return new DiscreteProgram.Scores(new double[count], categorical, byNumber);
  }

  private static double[] rounded(Tensor scores) {
    double[] values = scores.detach().to(DType.FLOAT64).flatten(0, scores.rank() - 1).toDoubles();
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.round(values[i] * 1000) / 1000.0;
    }
    return values;
  }

  private static double[] part(double[] all, int number, int size) {
    return java.util.Arrays.copyOfRange(all, number * size, (number + 1) * size);
  }

  /** The best of the last dimension, for all of the others. */
  private static int[] best(Tensor logits) {
    if (logits.elements() == 0) {
      return new int[0];
    }
    long[] places = logits.argmax(-1).flatten(0, Math.max(0, logits.rank() - 2)).toLongs();
    return java.util.Arrays.stream(places).mapToInt(place -> (int) place).toArray();
  }

  /** The best of the last dimension, by the first one. */
  private static int[][] rows(Tensor logits) {
    int count = (int) logits.size(0);
    return count == 0 ? new int[0][] : square(best(logits), (int) logits.size(1));
  }

  private static int[][] square(int[] all, int columns) {
    int[][] rows = new int[all.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = java.util.Arrays.copyOfRange(all, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  /** One-hot vectors of all pairs of values, for each of some perceptrons: [count, 2V, V²]. */
  private static Tensor pairsOfValues(int values, int count) {
    Tensor eye = Tensor.ones(values, values).tril(0).triu(0);
    Tensor first = eye.repeatInterleave(values, 0);
    Tensor second = eye.repeat(values, 1);
    return Tensor.cat(1, first, second)
        .t()
        .unsqueeze(0)
        .expand(count, 2L * values, (long) values * values);
  }
}
