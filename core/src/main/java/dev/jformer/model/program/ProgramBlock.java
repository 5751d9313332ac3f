package dev.jformer.model.program;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * A block of a {@link TransformerProgram}: heads that select and heads that count read variables of
 * the blocks before; then perceptrons read two variables each, those of this block's heads too.
 * What they compute is appended to the variables.
 */
final class ProgramBlock extends Module {
  private static final double NO_MATCH = 1e-20;
  private static final double HIDDEN = -1e30;

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
   * @param categorical [C, N·V]: of N tokens, one-hot of V values
   * @param numbers [K, N]
   */
  record State(Tensor categorical, Tensor numbers) {}

  /**
   * What all blocks of a pass need.
   *
   * @param visible bool [1, B, T, T]: which keys a query may see
   * @param closeness [T, T], higher for keys that are closer to the query
   */
  record Pass(long batch, long length, Tensor visible, Tensor closeness) {}

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
      this.in = parameter("in.weight", random(hidden, count, 2 * inputs, hidden));
      this.inBias = parameter("in.bias", Tensor.zeros(count, 1, hidden));
      this.out = parameter("out.weight", random(values, count, hidden, values));
      this.outBias = parameter("out.bias", Tensor.zeros(count, 1, values));
    }

    int count() {
      return (int) read.value().size(0);
    }

    /** From variables [C, N·inputs] to logits of the results [count, N, V]. */
    Tensor logits(Tensor variables, Choices choices) {
      Tensor weights = choices.of(read.value());
      long tokens = variables.size(1) / inputs;
      Tensor read =
          weights
              .view(2L * count(), weights.size(2))
              .matmul(variables)
              .view(count(), 2, tokens, inputs)
              .permute(0, 2, 1, 3)
              .reshape(count(), tokens, 2L * inputs);
      return of(read);
    }

    /** From the values of what is read [count, N, 2·inputs] to logits of the results. */
    Tensor of(Tensor read) {
      Tensor hidden = read.matmul(in.value()).add(inBias.value()).relu();
      return hidden.matmul(out.value()).add(outBias.value());
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
    long tokens = pass.batch() * pass.length();
    int selecting = config.categoricalHeads();
    int counting = config.numericalHeads();
    Tensor categorical = state.categorical();
    Tensor numbers = state.numbers();
    if (selecting + counting > 0) {
      Tensor matches = matches(state, pass);
      if (selecting > 0) {
        Tensor weights = select(matches.narrow(0, 0, selecting), pass);
        Tensor read = choices.of(values.value()).matmul(state.categorical());
        Tensor taken = weights.matmul(read.view(weights.size(0), pass.length(), config.values()));
        categorical = Tensor.cat(0, categorical, taken.view(selecting, tokens * config.values()));
      }
      if (counting > 0) {
        Tensor visible = matches.narrow(0, selecting, counting).mul(pass.visible());
        Tensor read = choices.of(counted.value()).matmul(state.numbers());
        Tensor sums =
            visible
                .view(counting * pass.batch(), pass.length(), pass.length())
                .matmul(read.view(counting * pass.batch(), pass.length(), 1));
        numbers = Tensor.cat(0, numbers, sums.view(counting, tokens));
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
    return choices.of(logits).flatten(1, 2);
  }

  /** Which keys are those that queries want: [heads, B, T, T]. */
  private Tensor matches(State state, Pass pass) {
    int size = config.values();
    long heads = queries.value().size(0);
    long tokens = pass.batch() * pass.length();
    Tensor query = choices.of(queries.value()).matmul(state.categorical());
    Tensor wanted = query.view(heads, tokens, size).matmul(choices.of(predicates.value()));
    Tensor key = choices.of(keys.value()).matmul(state.categorical());
    return wanted
        .view(heads * pass.batch(), pass.length(), size)
        .matmul(key.view(heads * pass.batch(), pass.length(), size).transpose(1, 2))
        .view(heads, pass.batch(), pass.length(), pass.length());
  }

  /** Weights of the selected tokens: [heads·B, T, T]. */
  private Tensor select(Tensor matches, Pass pass) {
    Tensor found = matches.mul(pass.visible()).sum(3, true);
    // 1 where nothing matches: then the first token is taken.
    Tensor none = found.div(found.add(1e-10)).neg().add(1.0).relu();
    Tensor first =
        pass.length() == 1
            ? none
            : Tensor.cat(
                3, none, Tensor.zeros(none.size(0), none.size(1), none.size(2), pass.length() - 1));
    Tensor scores =
        matches
            .add(first)
            .add(NO_MATCH)
            .log()
            .add(pass.closeness())
            .mul(1 / Math.sqrt(config.values()));
    Tensor hidden = pass.visible().eq(0);
    return choices.of(scores.maskedFill(hidden, HIDDEN)).flatten(0, 1);
  }
}
