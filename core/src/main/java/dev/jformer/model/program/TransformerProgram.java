package dev.jformer.model.program;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.model.TokenLabeller;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A Transformer that can be written as a program (<a
 * href="https://arxiv.org/abs/2306.01128">Learning Transformer Programs</a>): it labels the tokens
 * of a sequence.
 *
 * <p>Its stream consists of variables: one-hot categorical ones, beginning with the token and its
 * position, and numbers, beginning with 1. A head reads one variable each for query, key and value.
 * Its predicate names for each value of the query one value of the key. A categorical head takes
 * the value of the closest token that matches, a numerical head sums a number over all tokens that
 * match. A perceptron reads two variables, so that it is a table. Everything is appended as one
 * more variable, never added. All choices (which variable, which key, which token, which result)
 * are samples of Gumbel-softmax distributions whose temperature falls during the training; in
 * inference they are the best ones, so that what is evaluated is the program itself.
 *
 * <p>Tokens of which there are more than values, such as words, have learned variables instead:
 * each is a choice of a code for each token, a table of all tokens. A token has the same codes
 * wherever it stands in a batch.
 *
 * <p>What was settled here: a token's closeness falls with its distance, evenly down to -1; a token
 * on the right is half a step behind one on the left at the same distance, and the own position
 * comes last, with -2. The authors' two sides fall at slightly different rates, with the same
 * order.
 */
public final class TransformerProgram extends Model implements TokenLabeller, ScheduledModule {
  /**
   * Configuration; the defaults are the sizes of the paper's tasks of length 8.
   *
   * @param vocab number of tokens, at most {@code values} unless they have learned variables
   * @param labels number of labels
   * @param length T, the most tokens of a sequence, at most {@code values}
   * @param values V, number of different values of a categorical variable
   * @param tokenVariables number of learned variables of a token, for words of which there are many
   *     more than values; 0 for one that is the token itself
   * @param causal whether a token sees only those before it and itself
   * @param layers number of blocks
   * @param categoricalHeads heads of a block that select
   * @param numericalHeads heads of a block that count
   * @param categoricalMlps perceptrons of a block that read categorical variables
   * @param numericalMlps perceptrons of a block that read numbers
   * @param hidden hidden units of a perceptron
   * @param hottest temperature of choices at the beginning of the training
   * @param coldest temperature at its end, reached in equal factors
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int vocab,
      int labels,
      int length,
      int values,
      int tokenVariables,
      boolean causal,
      int layers,
      int categoricalHeads,
      int numericalHeads,
      int categoricalMlps,
      int numericalMlps,
      int hidden,
      double hottest,
      double coldest)
      implements Model.Config, TransformerProgramConfigBuilder.With {
    /** The sizes of the paper's tasks of length 8. */
    public Config() {
      this(8, 8, 8, 8, 0, false, 3, 4, 4, 2, 2, 64, 3, 0.01);
    }

    /** Checks the values. */
    public Config {
      Checks.between("values", values, 1, 4096);
      Checks.between("tokenVariables", tokenVariables, 0, 1024);
      Checks.between("vocab", vocab, 1, tokenVariables == 0 ? values : Integer.MAX_VALUE);
      Checks.between("length", length, 1, values);
      Checks.atLeast("labels", labels, 1);
      Checks.between("layers", layers, 0, 64);
      Checks.between("categoricalHeads", categoricalHeads, 0, 1024);
      Checks.between("numericalHeads", numericalHeads, 0, 1024);
      Checks.between("categoricalMlps", categoricalMlps, 0, 1024);
      Checks.between("numericalMlps", numericalMlps, 0, 1024);
      Checks.between("hidden", hidden, 1, 65_536);
      Checks.moreThan("coldest", coldest, 0);
      Checks.check(
          hottest >= coldest && hottest < Double.POSITIVE_INFINITY,
          "hottest",
          hottest,
          "at least coldest, " + coldest);
    }

    @Override
    public String type() {
      return "transformer-program";
    }

    @Override
    public TransformerProgram build() {
      return new TransformerProgram(this);
    }

    /** The number of categorical variables before a block; before none: at the end. */
    int categoricalBefore(int block) {
      return 1
          + Math.max(1, tokenVariables)
          + block * (categoricalHeads + categoricalMlps + numericalMlps);
    }

    /** The number of numbers before a block. */
    int numbersBefore(int block) {
      return 1 + block * numericalHeads;
    }
  }

  private final Config config;
  private final Choices choices = new Choices();
  private final List<ProgramBlock> blocks = new ArrayList<>();
  private final Parameter codes;
  private final Parameter scores;
  private final Parameter numberScores;

  /** Creates a model with random weights. */
  public TransformerProgram(Config config) {
    this.config = config;
    int learned = config.tokenVariables();
    codes =
        learned == 0
            ? null
            : parameter(
                "codes",
                ProgramBlock.random(
                    learned * config.values(), config.vocab(), learned, config.values()));
    for (int i = 0; i < config.layers(); i++) {
      ProgramBlock block =
          new ProgramBlock(config, choices, config.categoricalBefore(i), config.numbersBefore(i));
      blocks.add(child("blocks." + i, Module.class, block).get());
    }
    choices.temperature(config.hottest());
    int variables = config.categoricalBefore(config.layers());
    int numbers = config.numbersBefore(config.layers());
    scores =
        parameter(
            "scores",
            ProgramBlock.random(config.labels(), variables, config.values(), config.labels()));
    numberScores =
        parameter("number_scores", ProgramBlock.random(config.labels(), numbers, config.labels()));
  }

  @Override
  public Config config() {
    return config;
  }

  List<ProgramBlock> blocks() {
    return List.copyOf(blocks);
  }

  /** Logits of the codes of each token's learned variables [vocab, variables, V]; null if none. */
  Tensor codes() {
    return codes == null ? null : codes.value();
  }

  /** Scores by variable, value and label. */
  Tensor scores() {
    return scores.value();
  }

  /** Scores of a unit of each number by label. */
  Tensor numberScores() {
    return numberScores.value();
  }

  /** Sets the temperature of choices, by which the training makes them sharper. */
  @Override
  public void before(long step, long steps) {
    double done = (double) step / Math.max(1, steps - 1);
    choices.temperature(
        config.hottest() * Math.pow(config.coldest() / config.hottest(), Math.min(1, done)));
  }

  /** The temperature of choices in training. */
  public double temperature() {
    return choices.temperature();
  }

  @Override
  public Tensor logits(Tensor ids, Tensor paddingMask) {
    long batch = ids.size(0);
    long length = ids.size(1);
    if (length > config.length()) {
      throw new IllegalArgumentException(
          length + " tokens: expected at most the model's length, " + config.length());
    }
    choices.hard(!isTraining());
    int size = config.values();
    Tensor eye = Tensor.ones(size, size).tril(0).triu(0);
    Tensor tokens = tokens(ids, eye);
    Tensor positions =
        eye.narrow(1, 0, length)
            .unsqueeze(2)
            .expand(size, length, batch)
            .reshape(1, size * length * batch);
    ProgramBlock.State state =
        new ProgramBlock.State(
            codes == null ? Tensor.cat(0, tokens, positions) : Tensor.cat(0, positions, tokens),
            Tensor.ones(1, batch * length));
    ProgramBlock.Pass pass =
        new ProgramBlock.Pass(batch, length, visible(length, paddingMask), closeness((int) length));
    for (ProgramBlock block : blocks) {
      state = block.forward(state, pass);
    }
    return readout(state).view(config.labels(), length, batch).permute(2, 1, 0);
  }

  /** The variables of tokens themselves: [variables, V·T·B]. */
  private Tensor tokens(Tensor ids, Tensor eye) {
    Tensor all = ids.t().flatten(0, 1);
    if (codes == null) {
      return eye.indexSelect(1, all).view(1, eye.size(0) * all.elements());
    }
    long[] each = all.toLongs();
    long[] different = Arrays.stream(each).sorted().distinct().toArray();
    Tensor chosen = choices.of(codes.value().indexSelect(0, Tensor.of(different)));
    long[] places = Arrays.stream(each).map(id -> Arrays.binarySearch(different, id)).toArray();
    return chosen
        .permute(1, 2, 0)
        .indexSelect(2, Tensor.of(places))
        .reshape(config.tokenVariables(), (long) config.values() * each.length);
  }

  /** Logits [labels, T·B]. */
  private Tensor readout(ProgramBlock.State state) {
    long variables = state.categorical().size(0);
    Tensor values = state.categorical().view(variables * config.values(), state.numbers().size(1));
    return scores
        .value()
        .flatten(0, 1)
        .t()
        .matmul(values)
        .add(numberScores.value().t().matmul(state.numbers()));
  }

  private Tensor visible(long length, Tensor paddingMask) {
    Tensor all = Tensor.ones(length, length);
    Tensor seen = (config.causal() ? all.tril(0) : all).view(1, length, length, 1);
    return paddingMask == null
        ? seen
        : seen.mul(paddingMask.to(DType.FLOAT32).t().reshape(1, 1, length, paddingMask.size(0)));
  }

  private static Tensor closeness(int length) {
    double step = 1.0 / length;
    float[] values = new float[length * length];
    for (int query = 0; query < length; query++) {
      for (int key = 0; key < length; key++) {
        int distance = Math.abs(query - key);
        double right = key > query ? step / 2 : 0;
        values[query * length + key] =
            (float) (distance == 0 ? -2 : -(distance - 1) * step - right);
      }
    }
    return Tensor.of(values, length, length, 1);
  }

  @Override
  protected String details() {
    return config.layers()
        + " layers, "
        + (config.categoricalHeads() + config.numericalHeads())
        + " heads, variables of "
        + config.values()
        + " values";
  }
}
