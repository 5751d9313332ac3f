package dev.jformer.model.program;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * A block of a {@link TransformerProgram}: heads that select and heads that count read variables of
 * the blocks before; then perceptrons read two variables each, those of this block's heads too.
 * What they compute is appended to the variables.
 *
 * <p>The sequences of a batch are the last dimension everywhere. Choices among few things are then
 * vectors over the batch: a softmax over eight keys takes an eighteenth of the time that it takes
 * along the last dimension, and products of matrices of 8 x 8 a third.
 */
final class ProgramBlock extends Module {
  private static final double NO_MATCH = 1e-20;
  private static final double HIDDEN = -1e30;

  /** Numbers of a head's vectors up to which their products are computed one by one. */
  private static final int SMALL = 100;

  private final TransformerProgram.Config config;
  private final Choices choices;
  final Parameter queries;
  final Parameter keys;
  final Parameter values;
  final Parameter counted;
  final Parameter predicates;
  final Perceptrons tables;
  final Perceptrons rules;

  /**
   * Variables.
   *
   * @param categorical [C, V·T·B], one-hot of V values
   * @param numbers [K, T·B]
   */
  record State(Tensor categorical, Tensor numbers) {}

  /**
   * What all blocks of a pass need.
   *
   * @param visible 1 or 0, [1, T, T, B] or [1, T, T, 1]: which keys (third) a query may see
   * @param closeness [T, T, 1], higher for keys that are closer to the query
   */
  record Pass(long batch, long length, Tensor visible, Tensor closeness) {
    long tokens() {
      return batch * length;
    }
  }

  /** Perceptrons of two variables each. */
  static final class Perceptrons extends Module {
    final Parameter read;
    final Parameter in;
    final Parameter inBias;
    final Parameter out;
    final Parameter outBias;
    private final int inputs;

    /**
     * Creates perceptrons.
     *
     * @param variables number of variables that they may read
     * @param inputs numbers that a variable consists of: V or 1
     */
    Perceptrons(int count, int variables, int inputs, int hidden, int values) {
      this.inputs = inputs;
      this.read = parameter("read", random(variables, count, 2, variables));
      this.in = parameter("in.weight", random(hidden, count, 2L * inputs, hidden));
      this.inBias = parameter("in.bias", Tensor.zeros(count, 1, hidden));
      this.out = parameter("out.weight", random(values, count, hidden, values));
      this.outBias = parameter("out.bias", Tensor.zeros(count, 1, values));
    }

    int count() {
      return (int) read.value().size(0);
    }

    /** From variables [C, inputs·N] to logits of the results [count, V, N]. */
    Tensor logits(Tensor variables, Choices choices) {
      Tensor weights = choices.of(read.value());
      return of(
          weights
              .view(2L * count(), weights.size(2))
              .matmul(variables)
              .view(count(), 2L * inputs, variables.size(1) / inputs));
    }

    /** From the values of what is read [count, 2·inputs, N] to logits of the results. */
    Tensor of(Tensor read) {
      Tensor hidden =
          in.value().transpose(1, 2).matmul(read).add(inBias.value().transpose(1, 2)).relu();
      return out.value().transpose(1, 2).matmul(hidden).add(outBias.value().transpose(1, 2));
    }
  }

  /** Normally distributed with variance 1 / {@code size}. */
  static Tensor random(int size, long... shape) {
    return Tensor.randn(shape).mul(1 / Math.sqrt(size));
  }

  ProgramBlock(TransformerProgram.Config config, Choices choices, int categorical, int numbers) {
    this.config = config;
    this.choices = choices;
    int heads = config.categoricalHeads() + config.numericalHeads();
    queries = parameter("queries", random(categorical, heads, categorical));
    keys = parameter("keys", random(categorical, heads, categorical));
    values = parameter("values", random(categorical, config.categoricalHeads(), categorical));
    counted = parameter("counted", random(numbers, config.numericalHeads(), numbers));
    predicates =
        parameter("predicates", random(config.values(), heads, config.values(), config.values()));
    tables =
        child(
                "tables",
                Perceptrons.class,
                new Perceptrons(
                    config.categoricalMlps(),
                    categorical + config.categoricalHeads(),
                    config.values(),
                    config.hidden(),
                    config.values()))
            .get();
    rules =
        child(
                "rules",
                Perceptrons.class,
                new Perceptrons(
                    config.numericalMlps(),
                    numbers + config.numericalHeads(),
                    1,
                    config.hidden(),
                    config.values()))
            .get();
  }

  State forward(State state, Pass pass) {
    int selecting = config.categoricalHeads();
    int counting = config.numericalHeads();
    Tensor categorical = state.categorical();
    Tensor numbers = state.numbers();
    if (selecting + counting > 0) {
      Tensor matches = matches(state, pass);
      if (selecting > 0) {
        Tensor weights = select(matches.narrow(0, 0, selecting), pass);
        Tensor read = byToken(choices.of(values.value()).matmul(state.categorical()), pass);
        Tensor taken = mixed(weights, read);
        categorical =
            Tensor.cat(0, categorical, taken.reshape(selecting, config.values() * pass.tokens()));
      }
      if (counting > 0) {
        Tensor read = choices.of(counted.value()).matmul(state.numbers());
        Tensor sums =
            matches
                .narrow(0, selecting, counting)
                .mul(pass.visible())
                .mul(read.view(counting, 1, pass.length(), pass.batch()))
                .sum(2, false);
        numbers = Tensor.cat(0, numbers, sums.view(counting, pass.tokens()));
      }
    }
    Tensor all = categorical;
    if (tables.count() > 0) {
      all = Tensor.cat(0, all, made(tables.logits(categorical, choices)));
    }
    if (rules.count() > 0) {
      all = Tensor.cat(0, all, made(rules.logits(numbers, choices)));
    }
    return new State(all, numbers);
  }

  private Tensor made(Tensor logits) {
    return choices.of(logits, 1).flatten(1, 2);
  }

  /** What heads read, as [heads, V, T, B]. */
  private Tensor byToken(Tensor read, Pass pass) {
    return read.view(read.size(0), config.values(), pass.length(), pass.batch());
  }

  /** Which keys are those that queries want: [heads, T, T, B]. */
  private Tensor matches(State state, Pass pass) {
    long heads = queries.value().size(0);
    Tensor query = choices.of(queries.value()).matmul(state.categorical());
    Tensor wanted =
        choices
            .of(predicates.value())
            .transpose(1, 2)
            .matmul(query.view(heads, config.values(), pass.tokens()));
    Tensor key = choices.of(keys.value()).matmul(state.categorical());
    return compared(byToken(wanted, pass), byToken(key, pass));
  }

  /** Whether products of a query's and a key's vectors are better computed one by one. */
  private static boolean areSmall(Tensor vectors) {
    return vectors.size(1) * vectors.size(2) <= SMALL;
  }

  /** The product of each query's with each key's vector: of [H, V, T, B] each to [H, T, T, B]. */
  private static Tensor compared(Tensor query, Tensor key) {
    if (areSmall(query)) {
      return query.unsqueeze(3).mul(key.unsqueeze(2)).sum(1, false);
    }
    return query.permute(0, 3, 2, 1).matmul(key.permute(0, 3, 1, 2)).permute(0, 2, 3, 1);
  }

  /** The sum of values by weights: of [H, T, T, B] and [H, V, T, B] to [H, V, T, B]. */
  private static Tensor mixed(Tensor weights, Tensor values) {
    if (areSmall(values)) {
      return weights.unsqueeze(1).mul(values.unsqueeze(2)).sum(3, false);
    }
    return weights.permute(0, 3, 1, 2).matmul(values.permute(0, 3, 2, 1)).permute(0, 3, 2, 1);
  }

  /** Weights of the selected tokens: [heads, T, T, B]. */
  private Tensor select(Tensor matches, Pass pass) {
    Tensor found = matches.mul(pass.visible()).sum(2, true);
    // 1 where nothing matches: then the first token is taken.
    Tensor none = found.div(found.add(1e-10)).neg().add(1.0).relu();
    Tensor first =
        pass.length() == 1
            ? none
            : Tensor.cat(
                2, none, Tensor.zeros(none.size(0), none.size(1), pass.length() - 1, none.size(3)));
    Tensor scores =
        matches
            .add(first)
            .add(NO_MATCH)
            .log()
            .add(pass.closeness())
            .mul(1 / Math.sqrt(config.values()));
    return choices.of(scores.maskedFill(pass.visible().eq(0), HIDDEN), 2);
  }
}
