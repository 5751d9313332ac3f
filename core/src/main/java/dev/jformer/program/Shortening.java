package dev.jformer.program;

import dev.jformer.program.DiscreteProgram.Scores;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Makes programs shorter: variables whose scores decide nothing on a set of examples lose them, and
 * steps that nothing needs any more are left out. Of the labels of these examples that were right,
 * at most one in a thousand is lost.
 */
public final class Shortening {
  private static final int LOST_IN = 1000;

  private final ToIntFunction<DiscreteProgram> right;
  private final List<int[]> sequences;

  /**
   * Creates a method.
   *
   * @param sequences typical inputs, codes of tokens
   * @param right counts how many labels a program gives right on a set of examples
   */
  public Shortening(List<int[]> sequences, ToIntFunction<DiscreteProgram> right) {
    this.sequences = List.copyOf(sequences);
    this.right = right;
  }

  /** Shortens a program, from its last variable to its first. */
  public DiscreteProgram of(DiscreteProgram program) {
    Frequencies frequencies = Frequencies.of(program, sequences);
    DiscreteProgram shortest = program;
    int before = right.applyAsInt(program);
    int least = before - before / LOST_IN;
    for (int v = program.scores().categorical().length - 1; v >= 0; v--) {
      if (program.scores().categorical()[v] == null) {
        continue;
      }
      DiscreteProgram shorter = withScores(program, without(shortest.scores(), frequencies, v));
      if (right.applyAsInt(shorter) >= least) {
        shortest = shorter;
      }
    }
    for (int n = program.scores().numbers().length - 1; n >= 0; n--) {
      if (program.scores().numbers()[n] == null) {
        continue;
      }
      DiscreteProgram shorter =
          withScores(program, withoutNumber(shortest.scores(), frequencies.means()[n], n));
      if (right.applyAsInt(shorter) >= least) {
        shortest = shorter;
      }
    }
    return withoutUnused(shortest);
  }

  private static DiscreteProgram withScores(DiscreteProgram program, Scores scores) {
    return new DiscreteProgram(
        program.name(), program.scheme(), program.values(), program.steps(), scores);
  }

  /** How often variables have each value, and the means of numbers. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Frequencies(double[][] shares, double[] means) {
    static Frequencies of(DiscreteProgram program, List<int[]> sequences) {
      double[][] shares = new double[program.scores().categorical().length][program.values()];
      double[] means = new double[program.scores().numbers().length];
      long count = sequences.stream().mapToLong(sequence -> sequence.length).sum();
      for (int[] sequence : sequences) {
        Step.State state = program.compute(sequence);
        for (int v = 0; v < shares.length; v++) {
          if (program.scores().categorical()[v] == null) {
            continue;
          }
          for (int value : state.categorical().get(v)) {
            shares[v][value] += 1.0 / count;
          }
        }
        for (int n = 0; n < means.length; n++) {
          means[n] += (double) Arrays.stream(state.numbers().get(n)).sum() / count;
        }
      }
      return new Frequencies(shares, means);
    }
  }

  /** The scores without those of a variable, whose mean all tokens get instead. */
  private static Scores without(Scores scores, Frequencies frequencies, int variable) {
    double[][][] rest = scores.categorical().clone();
    double[] bias = scores.bias().clone();
    for (int label = 0; label < bias.length; label++) {
      double mean = 0;
      for (int value = 0; value < rest[variable].length; value++) {
        mean += frequencies.shares()[variable][value] * rest[variable][value][label];
      }
      bias[label] = rounded(bias[label] + mean);
    }
    rest[variable] = null;
    return new Scores(bias, rest, scores.numbers());
  }

  private static Scores withoutNumber(Scores scores, double mean, int number) {
    double[][] rest = scores.numbers().clone();
    double[] bias = scores.bias().clone();
    for (int label = 0; label < bias.length; label++) {
      bias[label] = rounded(bias[label] + mean * rest[number][label]);
    }
    rest[number] = null;
    return new Scores(bias, scores.categorical(), rest);
  }

  /** Scores have three decimals, so that they can be read. */
  static double rounded(double score) {
    return Math.round(score * 1000) / 1000.0;
  }

  /** Leaves out the steps whose variable has no scores and is not read. */
  private static DiscreteProgram withoutUnused(DiscreteProgram program) {
    List<Step> steps = new ArrayList<>(program.steps());
    Scores scores = program.scores();
    for (int at = steps.size() - 1; at >= 0; at--) {
      boolean categorical = steps.get(at).isCategorical();
      int variable = variable(steps, at);
      Object[] own = categorical ? scores.categorical() : scores.numbers();
      if (own[variable] == null
          && steps.stream().noneMatch(step -> step.reads(categorical, variable))) {
        steps.remove(at);
        steps.replaceAll(
            step ->
                step.rewired((kind, old) -> kind == categorical && old > variable ? old - 1 : old));
        scores =
            categorical
                ? new Scores(
                    scores.bias(), without(scores.categorical(), variable), scores.numbers())
                : new Scores(
                    scores.bias(), scores.categorical(), without(scores.numbers(), variable));
      }
    }
    return new DiscreteProgram(program.name(), program.scheme(), program.values(), steps, scores);
  }

  /** The place of a step's variable among those of its kind. */
  private static int variable(List<Step> steps, int at) {
    boolean categorical = steps.get(at).isCategorical();
    long before =
        steps.subList(0, at).stream().filter(step -> step.isCategorical() == categorical).count();
    return (int) before + (categorical ? 2 : 1);
  }

  private static <T> T[] without(T[] all, int place) {
    T[] rest = Arrays.copyOf(all, all.length - 1);
    System.arraycopy(all, place + 1, rest, place, rest.length - place);
    return rest;
  }
}
