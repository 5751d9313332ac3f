package dev.jformer.construct;

import dev.jformer.construct.SaturatedDecoder.Attention;
import dev.jformer.construct.SaturatedDecoder.FeedForward;
import dev.jformer.construct.SaturatedDecoder.Head;
import dev.jformer.construct.SaturatedDecoder.Sublayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the weights of a decoder that simulates a {@link CounterMachine} step by step (<a
 * href="https://arxiv.org/abs/2310.07923">The Expressive Power of Transformers with Chain of
 * Thought</a>): after a word it generates one token for each symbol, the machine's new state with
 * what is added to the counters, and then whether the machine accepts. A decoder that answers at
 * once cannot do so for all automata, at whatever size, if widely held conjectures are true.
 *
 * <p>How it works. Heads that attend to all tokens alike compute, of a prefix of p tokens, the
 * means 1/p, i/p (symbols so far), s/p (steps so far) and c/p (each counter). A head whose query is
 * the layer-norm hash of s/p and 1/p, and whose keys are those of i/p and 1/p, finds the symbol
 * whose turn it is. One perceptron for each counter tells by the hash of c/p and 1/p whether the
 * counter is zero: its first number is 0, or else at least 1 in size. The last perceptron has a
 * unit for each state, symbol and set of counters that are zero, and gives the next token.
 *
 * <p>The hashes of neighbouring places n and n + 1 differ by about n⁻⁴ in their product, so that
 * double precision can tell them apart up to {@value #LONGEST} symbols.
 */
public final class MachineDecoder {
  /** The most symbols of a word. */
  public static final int LONGEST = 2000;

  private static final int BEGIN = 0;

  private final CounterMachine machine;
  private final boolean hashed;
  private final int separator;
  private final int accept;
  private final int reject;

  /** The tokens of steps: the state, then what is added to the counters. */
  private final List<List<Integer>> steps = new ArrayList<>();

  private final Map<List<Integer>, Integer> stepTokens = new LinkedHashMap<>();
  private final int width;
  private final Rows make;
  private final SaturatedDecoder decoder;

  /** Writes the weights for a machine. */
  public MachineDecoder(CounterMachine machine) {
    this(machine, true);
  }

  /**
   * Writes the weights for a machine.
   *
   * @param hashed whether the head that reads symbols finds them by the layer-norm hash; if not, it
   *     reads the mean of all, as a control
   */
  public MachineDecoder(CounterMachine machine, boolean hashed) {
    this.machine = machine;
    this.hashed = hashed;
    this.separator = 1 + machine.symbols();
    for (int[][][] byState : results()) {
      for (int[][] bySymbol : byState) {
        for (int[] step : bySymbol) {
          List<Integer> key = Arrays.stream(step).boxed().toList();
          if (stepTokens.putIfAbsent(key, separator + 1 + steps.size()) == null) {
            steps.add(key);
          }
        }
      }
    }
    this.accept = separator + 1 + steps.size();
    this.reject = accept + 1;
    this.width = place(Part.OUTPUT, vocabulary());
    this.make = new Rows(width);
    this.decoder = new SaturatedDecoder(matrix(Part.TOKEN), sublayers(), matrix(Part.OUTPUT));
  }

  /** The parts of the stream, in order. */
  private enum Part {
    TOKEN,
    ONE_OF_ALL,
    SYMBOLS,
    STEPS,
    COUNTERS,
    READ,
    NOT_ZERO,
    OUTPUT
  }

  private int vocabulary() {
    return reject + 1;
  }

  private int size(Part part) {
    return switch (part) {
      case TOKEN, OUTPUT -> vocabulary();
      case ONE_OF_ALL, SYMBOLS, STEPS -> 1;
      case COUNTERS, NOT_ZERO -> machine.counters();
      case READ -> machine.symbols() + 1;
    };
  }

  private int place(Part part, int index) {
    int place = index;
    for (Part before : Part.values()) {
      if (before == part) {
        return place;
      }
      place += size(before);
    }
    throw new AssertionError();
  }

  private int place(Part part) {
    return place(part, 0);
  }

  /** Each step's result, the state and what is added, by state, symbol and mask. */
  private int[][][][] results() {
    int masks = 1 << machine.counters();
    int[][][][] all = new int[machine.states()][machine.symbols()][masks][];
    for (int state = 0; state < machine.states(); state++) {
      for (int symbol = 0; symbol < machine.symbols(); symbol++) {
        for (int mask = 0; mask < masks; mask++) {
          int[] added = machine.steps()[state][symbol][mask];
          int[] result = new int[1 + added.length];
          result[0] = machine.next()[state][symbol][mask];
          System.arraycopy(added, 0, result, 1, added.length);
          all[state][symbol][mask] = result;
        }
      }
    }
    return all;
  }

  /** Rows that pick each token's number out of a part of the stream. */
  private double[][] matrix(Part part) {
    double[][] rows = new double[vocabulary()][width];
    for (int token = 0; token < rows.length; token++) {
      rows[token][place(part, token)] = 1;
    }
    return rows;
  }

  private List<Sublayer> sublayers() {
    List<Sublayer> all = new ArrayList<>();
    all.add(new Attention(means()));
    all.add(new Attention(List.of(reader())));
    for (int counter = 0; counter < machine.counters(); counter++) {
      all.add(zeroTest(counter));
    }
    all.add(transitions());
    return all;
  }

  /** Heads that attend to all tokens alike. */
  private List<Head> means() {
    List<Head> heads = new ArrayList<>();
    double[] begin = new double[width];
    double[] symbols = new double[width];
    double[] some = new double[width];
    begin[BEGIN] = 1;
    Arrays.fill(symbols, 1, separator + 1, 1);
    Arrays.fill(some, separator, accept, 1);
    heads.add(make.mean(begin, place(Part.ONE_OF_ALL)));
    heads.add(make.mean(symbols, place(Part.SYMBOLS)));
    heads.add(make.mean(some, place(Part.STEPS)));
    for (int counter = 0; counter < machine.counters(); counter++) {
      double[] added = new double[width];
      for (int step = 0; step < steps.size(); step++) {
        added[separator + 1 + step] = steps.get(step).get(1 + counter);
      }
      heads.add(make.mean(added, place(Part.COUNTERS, counter)));
    }
    return heads;
  }

  /** The layer-norm hash of a mean over that of the first token. */
  private double[][] hash(int place) {
    return Rows.both(make.only(place), make.only(place(Part.ONE_OF_ALL)));
  }

  /** The head that finds the symbol of this step; the separator counts as the last symbol. */
  private Head reader() {
    double[][] key = hash(place(Part.SYMBOLS));
    for (int token = 0; token < vocabulary(); token++) {
      boolean isSymbol = token > BEGIN && token <= separator;
      if (!isSymbol) { // far from all places
        key[1][token] = 1;
        key[3][token] = -1;
      }
    }
    int count = size(Part.READ);
    double[][] value = new double[count][];
    double[][] out = new double[width][2 * count];
    for (int symbol = 0; symbol < count; symbol++) {
      value[symbol] = make.only(1 + symbol);
      out[place(Part.READ, symbol)][symbol] = 1 / Math.sqrt(count);
    }
    double[][] query = hashed ? hash(place(Part.STEPS)) : new double[4][width];
    return new Head(query, key, Rows.both(value), out);
  }

  /** Whether a counter is not zero: min(1, |x|) of the first number x of its hash. */
  private FeedForward zeroTest(int counter) {
    double[][] units = {{1, 0, 0, 0}, {1, 0, 0, 0}, {-1, 0, 0, 0}, {-1, 0, 0, 0}};
    double[] bias = {0, -1, 0, -1};
    double[][] out = new double[width][4];
    out[place(Part.NOT_ZERO, counter)] = new double[] {1, -1, 1, -1};
    return new FeedForward(hash(place(Part.COUNTERS, counter)), units, bias, out);
  }

  /** A unit for each state, symbol and mask. */
  private FeedForward transitions() {
    int counters = machine.counters();
    int masks = 1 << counters;
    int states = machine.states();
    int symbols = size(Part.READ);
    List<double[]> rows = new ArrayList<>();
    for (int state = 0; state < states; state++) {
      double[] row = new double[width];
      row[separator] = state == 0 ? 1 : 0;
      for (int step = 0; step < steps.size(); step++) {
        row[separator + 1 + step] = steps.get(step).get(0) == state ? 1 : 0;
      }
      rows.add(row);
    }
    for (int symbol = 0; symbol < symbols; symbol++) {
      rows.add(make.only(place(Part.READ, symbol)));
    }
    for (int counter = 0; counter < counters; counter++) {
      rows.add(make.only(place(Part.NOT_ZERO, counter)));
    }
    double[] one = new double[width];
    Arrays.fill(one, 0, vocabulary(), 1);
    rows.add(one);
    double[][] in = Rows.both(rows.toArray(double[][]::new));
    double[][] units = new double[states * symbols * masks][in.length];
    double[][] out = new double[width][units.length];
    for (int state = 0; state < states; state++) {
      for (int symbol = 0; symbol < symbols; symbol++) {
        for (int mask = 0; mask < masks; mask++) {
          int unit = (state * symbols + symbol) * masks + mask;
          units[unit][state] = 1;
          units[unit][states + symbol] = 1;
          for (int counter = 0; counter < counters; counter++) {
            units[unit][states + symbols + counter] = (mask >> counter & 1) == 1 ? 1 : -1;
          }
          units[unit][states + symbols + counters] = -1 - Integer.bitCount(mask);
          out[place(Part.OUTPUT, result(state, symbol, mask))][unit] = 1;
        }
      }
    }
    return new FeedForward(in, units, new double[units.length], out);
  }

  /** The token after a state, symbol and mask; after the separator it is the answer. */
  private int result(int state, int symbol, int mask) {
    if (symbol == machine.symbols()) {
      return machine.accepting()[state][mask] ? accept : reject;
    }
    return stepTokens.get(Arrays.stream(results()[state][symbol][mask]).boxed().toList());
  }

  /** The decoder. */
  public SaturatedDecoder decoder() {
    return decoder;
  }

  /**
   * The prompt of a word: a first token, the word, and a separator.
   *
   * @throws IllegalArgumentException if a symbol is unknown, or there are more than {@value
   *     #LONGEST}
   */
  public int[] prompt(int... word) {
    if (word.length > LONGEST) {
      throw new IllegalArgumentException(
          "a word of "
              + word.length
              + " symbols: expected at most "
              + LONGEST
              + ", whose places double precision can tell apart");
    }
    int[] prompt = new int[word.length + 2];
    for (int i = 0; i < word.length; i++) {
      if (word[i] < 0 || word[i] >= machine.symbols()) {
        throw new IllegalArgumentException(
            "the symbol " + word[i] + " is unknown: expected 0 to " + (machine.symbols() - 1));
      }
      prompt[1 + i] = 1 + word[i];
    }
    prompt[word.length + 1] = separator;
    return prompt;
  }

  /**
   * What the decoder says about a word.
   *
   * @param states the states that its tokens name
   * @param answer whether it says that the machine accepts; null if it gave no answer
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Trace(int[] states, Boolean answer) {}

  /** Lets the decoder read a word and generate its steps and its answer. */
  public Trace run(int... word) {
    int[] tokens =
        decoder.generate(
            prompt(word), token -> token == accept || token == reject, word.length + 1);
    int last = tokens[tokens.length - 1];
    boolean ended = last == accept || last == reject;
    int[] states =
        Arrays.stream(tokens, 0, tokens.length - (ended ? 1 : 0)).map(this::state).toArray();
    return new Trace(states, ended ? (Boolean) (last == accept) : null);
  }

  /** The state that a token names; -1 for none. */
  private int state(int token) {
    int step = token - separator - 1;
    return step >= 0 && step < steps.size() ? steps.get(step).get(0) : -1;
  }
}
