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
 * Writes the weights of a decoder that simulates a {@link TuringMachine}, a token a step (<a
 * href="https://arxiv.org/abs/2310.07923">The Expressive Power of Transformers with Chain of
 * Thought</a>, theorem 2): after a word it generates the machine's steps, and then whether it
 * accepts. The tape is nowhere but in these tokens: what stands in a cell is what the last token
 * wrote there.
 *
 * <p>How it works. A token names the new state, the symbol that is written, the step's move, and
 * the move of the step before. Heads that attend to all tokens alike compute, of a prefix of p
 * tokens, 1/p and c/p, where c is the cell that the last token wrote on: the sum of moves before
 * it. A perceptron makes the layer-norm hash of c, and those of c - 1 and c + 1. Three heads look
 * for the last token that wrote on each of these cells: their keys are the hash and a little of
 * -1/p, which decides between tokens of one cell. If the hash that a head finds is not the one it
 * wants, nothing was written there, and the cell is blank. The last perceptron has units for each
 * state, move and symbol, and gives the next token.
 *
 * <p>The hashes of cells n and n + 1 differ by about n⁻⁴ in their product, and the little must be
 * less, but more than the rounding of the precision. Thus the size of the tape bounds the number of
 * tokens ({@link #longest}).
 */
public final class TuringDecoder {
  private static final int BEGIN = 0;
  private static final int LARGEST_TAPE = 200;

  /** Rounding of scores in steps of the precision, with a margin. */
  private static final double ROUNDING = 45;

  private final TuringMachine machine;
  private final int cells;
  private final boolean latest;
  private final Precision precision;
  private final double little;
  private final int separator;
  private final int accept;
  private final int reject;

  /** What tokens of steps say: the state, the symbol, the move, and the move before. */
  private final List<List<Integer>> steps = new ArrayList<>();

  private final Map<List<Integer>, Integer> stepTokens = new LinkedHashMap<>();
  private final int width;
  private final Rows make;
  private final SaturatedDecoder decoder;

  /**
   * Writes the weights for a machine.
   *
   * @param cells how far the head may go from cell 0, on both sides; 1 to {@value #LARGEST_TAPE}
   */
  public TuringDecoder(TuringMachine machine, int cells) {
    this(machine, cells, true, Precision.DOUBLE);
  }

  /**
   * Writes the weights for a machine.
   *
   * @param latest whether the last token of a cell counts; if not, all do alike, as a control
   * @param precision of the decoder
   */
  public TuringDecoder(TuringMachine machine, int cells, boolean latest, Precision precision) {
    if (cells < 1 || cells > LARGEST_TAPE) {
      throw new IllegalArgumentException(
          "cells is " + cells + ": expected 1 to " + LARGEST_TAPE + ", which hashes tell apart");
    }
    this.machine = machine;
    this.cells = cells;
    this.latest = latest;
    this.precision = precision;
    this.little = 0.5 * Math.pow(cells + 2.0, -4);
    this.separator = 1 + machine.symbols();
    for (int state = 0; state < machine.states(); state++) {
      for (int symbol = 0; symbol < machine.symbols(); symbol++) {
        for (int before = -1; before <= 1; before++) {
          List<Integer> step = step(state, symbol, before);
          if (step.get(0) < machine.states()
              && stepTokens.putIfAbsent(step, separator + 1 + steps.size()) == null) {
            steps.add(step);
          }
        }
      }
    }
    this.accept = separator + 1 + steps.size();
    this.reject = accept + 1;
    this.width = place(Part.OUTPUT, vocabulary());
    this.make = new Rows(width);
    this.decoder =
        new SaturatedDecoder(tokens(Part.TOKEN), sublayers(), tokens(Part.OUTPUT), precision);
  }

  private List<Integer> step(int state, int symbol, int before) {
    return List.of(
        machine.next()[state][symbol],
        machine.written()[state][symbol],
        machine.moves()[state][symbol],
        before);
  }

  /** The parts of the stream, in order; those from WANTED on are there for each of three moves. */
  private enum Part {
    TOKEN,
    ONE_OF_ALL,
    CELL,
    WANTED,
    FOUND,
    READ,
    NOTHING,
    OUTPUT
  }

  private int vocabulary() {
    return reject + 1;
  }

  private int size(Part part) {
    return switch (part) {
      case TOKEN, OUTPUT -> vocabulary();
      case ONE_OF_ALL, CELL -> 1;
      case WANTED, FOUND -> 3 * 2;
      case READ -> 3 * machine.symbols();
      case NOTHING -> 3;
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

  /** Rows that pick each token's number out of a part of the stream. */
  private double[][] tokens(Part part) {
    double[][] rows = new double[vocabulary()][];
    for (int token = 0; token < rows.length; token++) {
      rows[token] = make.only(place(part, token));
    }
    return rows;
  }

  private List<Sublayer> sublayers() {
    List<Sublayer> all = new ArrayList<>();
    all.add(
        new Attention(
            List.of(
                make.mean(first(), place(Part.ONE_OF_ALL, 0)),
                make.mean(shifts(), place(Part.CELL, 0)))));
    for (int move = -1; move <= 1; move++) {
      all.add(wanted(move));
    }
    all.add(new Attention(List.of(reader(-1), reader(0), reader(1))));
    for (int move = -1; move <= 1; move++) {
      all.add(nothing(move));
    }
    all.add(transitions());
    return all;
  }

  private double[] first() {
    return make.only(BEGIN);
  }

  /** By how much a token's cell is beyond that of the token before it. */
  private double[] shifts() {
    double[] shifts = new double[width];
    Arrays.fill(shifts, 1, separator + 1, 1);
    for (int step = 0; step < steps.size(); step++) {
      shifts[separator + 1 + step] = steps.get(step).get(3);
    }
    return shifts;
  }

  /** A row that is 1 whatever the token. */
  private double[] one() {
    double[] row = new double[width];
    Arrays.fill(row, 0, vocabulary(), 1);
    return row;
  }

  private int hash(Part part, int move, int index) {
    return place(part, 2 * (move + 1) + index);
  }

  /** The hash of the cell beside the one that was written, of which both numbers are kept. */
  private FeedForward wanted(int move) {
    double[] cell = make.only(place(Part.CELL, 0));
    cell[place(Part.ONE_OF_ALL, 0)] = move;
    double[][] units = {{1, 0, 0, 0}, {-1, 0, 0, 0}, {0, 1, 0, 0}, {0, -1, 0, 0}};
    double[][] out = new double[width][4];
    out[hash(Part.WANTED, move, 0)] = new double[] {1, -1, 0, 0};
    out[hash(Part.WANTED, move, 1)] = new double[] {0, 0, 1, -1};
    double[][] in = Rows.both(cell, make.only(place(Part.ONE_OF_ALL, 0)));
    return new FeedForward(in, units, new double[4], out);
  }

  /** The head that finds what was written last on the cell beside the one that was written. */
  private Head reader(int move) {
    double[][] query =
        Rows.both(
            make.only(hash(Part.WANTED, move, 0)), make.only(hash(Part.WANTED, move, 1)), one());
    double[] recent = make.times(place(Part.ONE_OF_ALL, 0), latest ? -little : 0);
    double[][] key =
        Rows.both(make.only(hash(Part.WANTED, 0, 0)), make.only(hash(Part.WANTED, 0, 1)), recent);
    int symbols = machine.symbols();
    double[][] value = new double[symbols + 2][width];
    value[0][BEGIN] = 1;
    for (int symbol = 0; symbol < symbols; symbol++) {
      value[symbol][1 + symbol] = 1;
    }
    value[0][separator] = 1;
    for (int step = 0; step < steps.size(); step++) {
      value[steps.get(step).get(1)][separator + 1 + step] = 1;
    }
    value[symbols] = make.only(hash(Part.WANTED, 0, 0));
    value[symbols + 1] = make.only(hash(Part.WANTED, 0, 1));
    // A symbol's 1 and a hash of norm √2, and their negatives, are divided by their deviation.
    double scale = Math.sqrt(3.0 / (symbols + 2));
    double[][] out = new double[width][2 * (symbols + 2)];
    for (int symbol = 0; symbol < symbols; symbol++) {
      out[place(Part.READ, (move + 1) * symbols + symbol)][symbol] = scale;
    }
    out[hash(Part.FOUND, move, 0)][symbols] = scale;
    out[hash(Part.FOUND, move, 1)][symbols + 1] = scale;
    return new Head(query, key, Rows.both(value), out);
  }

  /**
   * Whether a head did not find the cell that it wanted: min(1, |d|) of the difference d of the
   * hashes' first numbers, which grow with the cell, times a number that makes it at least 1.
   */
  private FeedForward nothing(int move) {
    double[] difference = make.only(hash(Part.WANTED, move, 0));
    difference[hash(Part.FOUND, move, 0)] = -1;
    double much = 4 * Math.pow(cells + 2.0, 3);
    double[][] units = {{much, 0, 0, 0}, {much, 0, 0, 0}, {-much, 0, 0, 0}, {-much, 0, 0, 0}};
    double[][] out = new double[width][4];
    out[place(Part.NOTHING, move + 1)] = new double[] {1, -1, 1, -1};
    return new FeedForward(Rows.both(difference, one()), units, new double[] {0, -1, 0, -1}, out);
  }

  /** Units for each state, move and symbol, and for each state and move that finds nothing. */
  private FeedForward transitions() {
    int states = machine.states();
    int symbols = machine.symbols();
    List<double[]> rows = new ArrayList<>();
    for (int state = 0; state < states; state++) {
      for (int move = -1; move <= 1; move++) {
        double[] row = new double[width];
        row[separator] = state == 0 && move == 0 ? 1 : 0;
        for (int step = 0; step < steps.size(); step++) {
          List<Integer> says = steps.get(step);
          row[separator + 1 + step] = says.get(0) == state && says.get(2) == move ? 1 : 0;
        }
        rows.add(row);
      }
    }
    int read = rows.size();
    for (int i = 0; i < 3 * symbols; i++) {
      rows.add(make.only(place(Part.READ, i)));
    }
    int nothing = rows.size();
    for (int i = 0; i < 3; i++) {
      rows.add(make.only(place(Part.NOTHING, i)));
    }
    int one = rows.size();
    rows.add(one());
    double[][] in = Rows.both(rows.toArray(double[][]::new));
    List<double[]> units = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    for (int state = 0; state < states; state++) {
      for (int move = 0; move < 3; move++) {
        for (int symbol = 0; symbol <= symbols; symbol++) {
          double[] unit = new double[in.length];
          unit[3 * state + move] = 1;
          unit[one] = -1;
          if (symbol < symbols) {
            unit[read + move * symbols + symbol] = 1;
            unit[nothing + move] = -1;
          } else {
            unit[nothing + move] = 1;
          }
          units.add(unit);
          tokens.add(token(step(state, symbol % symbols, move - 1)));
        }
      }
    }
    double[][] out = new double[width][units.size()];
    for (int unit = 0; unit < tokens.size(); unit++) {
      out[place(Part.OUTPUT, tokens.get(unit))][unit] = 1;
    }
    return new FeedForward(in, units.toArray(double[][]::new), new double[units.size()], out);
  }

  private int token(List<Integer> step) {
    int state = step.get(0);
    return state == machine.states()
        ? accept
        : state > machine.states() ? reject : stepTokens.get(step);
  }

  /** The decoder. */
  public SaturatedDecoder decoder() {
    return decoder;
  }

  /** The most tokens, of a word and of steps together, whose order the precision surely tells. */
  public int longest() {
    return (int) Math.sqrt(little / (ROUNDING * precision.step()));
  }

  /**
   * The prompt of a word: a first token, the word, and a separator.
   *
   * @throws IllegalArgumentException if a symbol is unknown, or the word is longer than the tape
   */
  public int[] prompt(int... word) {
    if (word.length >= cells) {
      throw new IllegalArgumentException(
          "a word of "
              + word.length
              + " symbols: expected fewer than the "
              + cells
              + " cells for which the weights were written");
    }
    int[] prompt = new int[word.length + 2];
    for (int i = 0; i < word.length; i++) {
      prompt[1 + i] = 1 + machine.known(word[i]);
    }
    prompt[word.length + 1] = separator;
    return prompt;
  }

  /**
   * What the decoder says about a word.
   *
   * @param steps those that its tokens name, with the cells that follow from their moves; the step
   *     that halts is the answer
   * @param answer whether it says that the machine accepts; null if it gave no answer
   */
  public record Trace(List<TuringMachine.Step> steps, Boolean answer) {}

  /**
   * Lets the decoder read a word and generate its steps and its answer.
   *
   * @param most the most steps, if there is no answer before
   * @throws IllegalArgumentException if there were more tokens than {@link #longest}
   */
  public Trace run(int[] word, int most) {
    int[] prompt = prompt(word);
    if (most < 1 || (long) prompt.length + most > longest()) {
      throw new IllegalArgumentException(
          most
              + " steps after a word of "
              + word.length
              + " symbols: expected at least one, and at most "
              + longest()
              + " tokens with "
              + cells
              + " cells; write the weights for fewer cells");
    }
    return attempt(word, most);
  }

  /**
   * Does as {@link #run}, however many tokens there are: what it says beyond {@link #longest} may
   * be wrong.
   */
  public Trace attempt(int[] word, int most) {
    int[] prompt = prompt(word);
    int[] tokens = decoder.generate(prompt, token -> token == accept || token == reject, most);
    List<TuringMachine.Step> said = new ArrayList<>();
    int cell = word.length + 1;
    Boolean answer = null;
    for (int token : tokens) {
      int step = token - separator - 1;
      if (token == accept || token == reject) {
        answer = token == accept;
      } else if (step < 0) {
        said.add(new TuringMachine.Step(-1, -1, 0, cell)); // names no step
      } else {
        List<Integer> says = steps.get(step);
        said.add(new TuringMachine.Step(says.get(0), says.get(1), says.get(2), cell));
        cell += says.get(2);
      }
    }
    return new Trace(List.copyOf(said), answer);
  }
}
