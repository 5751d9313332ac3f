package dev.jformer.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A program that labels the tokens of a sequence, or the sequence as a whole. It begins with two
 * categorical variables of each token, the token itself and its position, and the number 1; each
 * step adds a variable. At the end each value of each variable has a score for each label, and the
 * label with the highest sum is given, the first of equals. If the sequence has one label, the sums
 * of all of its tokens are added up before.
 *
 * @param name of the class that it is written as, an identifier
 * @param scheme the tokens that it knows, its labels, and what it reads
 * @param values number of different values of a categorical variable; codes are below it, but those
 *     of the token itself where only {@link Step.Lookup} reads it
 * @param steps in order
 * @param scores the scores of variables
 */
public record DiscreteProgram(
    String name, LabelScheme scheme, int values, List<Step> steps, Scores scores) {

  /**
   * The scores of labels.
   *
   * @param bias what each label has from the beginning
   * @param categorical by categorical variable, value and label; null for variables without scores
   * @param numbers by number and label: what each unit of the number counts; null for numbers
   *     without scores
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Scores(double[] bias, double[][][] categorical, double[][] numbers) {}

  /** The variables of the inputs. */
  static final int TOKEN = 0;

  static final int POSITION = 1;

  /** Copies the steps. */
  public DiscreteProgram {
    steps = List.copyOf(steps);
  }

  /** Creates a program that reads tokens, all of which it knows, and gives each a label. */
  public DiscreteProgram(
      String name,
      List<String> tokens,
      List<String> labels,
      int length,
      int values,
      boolean causal,
      List<Step> steps,
      Scores scores) {
    this(
        name,
        new LabelScheme(tokens, labels, length, causal, LabelKind.TOKENS),
        values,
        steps,
        scores);
  }

  /** The tokens that it knows; a token's code is its place. */
  public List<String> tokens() {
    return scheme.tokens();
  }

  /** The labels. */
  public List<String> labels() {
    return scheme.labels();
  }

  /** The most tokens of a sequence. */
  public int length() {
    return scheme.length();
  }

  /** Whether a token sees only those before it and itself. */
  public boolean causal() {
    return scheme.causal();
  }

  /**
   * Labels a sequence of tokens, or of words, which need not be known.
   *
   * @return a label for each, or one label if the sequence has one as a whole
   * @throws IllegalArgumentException if a token is unknown, or there are none or too many
   */
  public List<String> run(List<String> sequence) {
    checkCount(sequence.size(), scheme.mostInputs());
    boolean words = scheme.kind().readsWords();
    int[] labels = run(words ? codesOfWords(sequence) : codesOfTokens(sequence));
    return Arrays.stream(labels)
        .skip(scheme.kind() == LabelKind.WORDS ? 1 : 0)
        .mapToObj(labels()::get)
        .toList();
  }

  private int[] codesOfTokens(List<String> sequence) {
    Map<String, Integer> codes = new HashMap<>();
    tokens().forEach(token -> codes.put(token, codes.size()));
    int[] ids = new int[sequence.size()];
    for (int i = 0; i < ids.length; i++) {
      Integer code = codes.get(sequence.get(i));
      if (code == null) {
        throw new IllegalArgumentException(
            "'" + sequence.get(i) + "' is no token of the program: there are " + tokens());
      }
      ids[i] = code;
    }
    return ids;
  }

  private int[] codesOfWords(List<String> words) {
    Lexicon lexicon = new Lexicon(tokens());
    int[] ids = new int[words.size() + 1];
    ids[0] = lexicon.special(Lexicon.START);
    for (int i = 0; i < words.size(); i++) {
      ids[i + 1] = lexicon.code(words.get(i));
    }
    return ids;
  }

  private static void checkCount(int count, int most) {
    if (count < 1 || count > most) {
      throw new IllegalArgumentException(
          count + " tokens: expected 1 to " + most + ", the longest of the training");
    }
  }

  /**
   * Labels a sequence of codes.
   *
   * @param sequence begins with the code of {@link Lexicon#START} if words are read
   * @return a place in {@link #labels} for each code, or one if the sequence has one label
   * @throws IllegalArgumentException as {@link #run(List)}
   */
  public int[] run(int... sequence) {
    Step.State state = compute(sequence);
    boolean whole = scheme.kind() == LabelKind.TEXTS;
    int[] labels = new int[whole ? 1 : sequence.length];
    double[] all = new double[labels().size()];
    for (int i = 0; i < sequence.length; i++) {
      double[] sums = sums(state, i);
      if (whole) {
        add(all, sums, 1);
      } else {
        labels[i] = best(sums);
      }
    }
    if (whole) {
      labels[0] = best(all);
    }
    return labels;
  }

  private static int best(double... sums) {
    int best = 0;
    for (int label = 1; label < sums.length; label++) {
      best = sums[label] > sums[best] ? label : best;
    }
    return best;
  }

  private double[] sums(Step.State state, int token) {
    double[] sums = scores.bias().clone();
    for (int v = 0; v < state.categorical().size(); v++) {
      if (scores.categorical()[v] != null) {
        add(sums, scores.categorical()[v][state.categorical().get(v)[token]], 1);
      }
    }
    for (int n = 0; n < state.numbers().size(); n++) {
      if (scores.numbers()[n] != null) {
        add(sums, scores.numbers()[n], state.numbers().get(n)[token]);
      }
    }
    return sums;
  }

  private static void add(double[] sums, double[] more, int times) {
    for (int label = 0; label < sums.length; label++) {
      sums[label] += times * more[label];
    }
  }

  /** Computes the variables of a sequence of codes. */
  public Step.State compute(int... sequence) {
    checkCount(sequence.length, length());
    for (int code : sequence) {
      if (code < 0 || code >= tokens().size()) {
        throw new IllegalArgumentException(
            "the code " + code + " is no token: expected 0 to " + (tokens().size() - 1));
      }
    }
    Step.State state = new Step.State(new ArrayList<>(), new ArrayList<>());
    state.categorical().add(sequence.clone());
    int[] positions = new int[sequence.length];
    Arrays.setAll(positions, i -> i);
    state.categorical().add(positions);
    int[] ones = new int[sequence.length];
    Arrays.fill(ones, 1);
    state.numbers().add(ones);
    for (Step step : steps) {
      List<int[]> variables = step.isCategorical() ? state.categorical() : state.numbers();
      variables.add(step.compute(state, causal()));
    }
    return state;
  }

  /** Returns this program under another name. */
  public DiscreteProgram named(String other) {
    return new DiscreteProgram(other, scheme, values, steps, scores);
  }
}
