package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.PrefixCache;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A causal language model that reads a text in windows and carries a state from each to the next
 * (<a href="https://arxiv.org/abs/2008.07027">Adding Recurrence to Pretrained Transformers for
 * Improved Efficiency and Context Size</a>). After each window a small module reads the pooled
 * hidden states of the last layer, and makes a state of them; the state gives one or a few keys and
 * values that stand in front of those of the next window, in one block. So the time and the memory
 * of a text grow with its length only, and a token knows of more than its window.
 *
 * <p>The first window has no state: it is read as by the model alone. Keys and values of the state
 * have no position of their own: tokens of a window have the same positions with a state as
 * without. The model's names and weights are those of a {@link CausalLm}, so that a trained one can
 * be begun with; any with attention in the chosen block will do.
 */
public final class RecurrentLm extends Model {
  /**
   * Configuration; the defaults are a small GPT-2 for bytes.
   *
   * @param lm the language model
   * @param recurrence what carries the state
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(CausalLm.Config lm, RecurrenceConfig recurrence)
      implements Model.Config, HasStack<Config>, RecurrentLmConfigBuilder.With {
    /** A small GPT-2. */
    public Config() {
      this(new CausalLm.Config(), new RecurrenceConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.notNull("lm", lm);
      Checks.notNull("recurrence", recurrence);
      Checks.check(
          recurrence.layer() < lm.layers(),
          "recurrence.layer",
          recurrence.layer(),
          "the index of one of " + lm.layers() + " blocks, counted from 0");
    }

    @Override
    public String type() {
      return "recurrent-lm";
    }

    @Override
    public RecurrentLm build() {
      return new RecurrentLm(this);
    }

    /** The tokens of a window. */
    public int window() {
      return recurrence.window() == 0 ? lm.length() : recurrence.window();
    }

    /** The tokens of a sequence in training. */
    public int sequence() {
      return Math.multiplyExact(window(), recurrence.windows());
    }

    /** This recurrence beside a trained language model. */
    @Override
    public Optional<Config> beginningWith(Model.Config trained) {
      return trained instanceof CausalLm.Config given
          ? Optional.of(new Config(given, recurrence))
          : Optional.empty();
    }

    @Override
    public StackConfig stack() {
      return lm.stack();
    }

    @Override
    public Config withStack(StackConfig stack) {
      return withLm(lm.withStack(stack));
    }
  }

  private final Config config;
  private final Slot<CausalLm> lm;
  private final Slot<Recurrence> recurrence;

  /**
   * Creates a model with random weights.
   *
   * @throws IllegalArgumentException if the block has no attention that takes more keys and values
   *     than the tokens', or the model cannot read so long a window
   */
  public RecurrentLm(Config config) {
    this.config = config;
    CausalLm plain = config.lm().build();
    this.lm = unnamedChild(CausalLm.class, plain);
    if (config.window() > plain.longest()) {
      throw new IllegalArgumentException(
          "recurrence.window is "
              + config.window()
              + ": the model takes "
              + plain.longest()
              + " tokens at most");
    }
    Attention attention = attention(plain.blocks().get(config.recurrence().layer()).mixer());
    this.recurrence =
        child(
            "recurrence",
            Recurrence.class,
            new Recurrence(
                config.recurrence(),
                config.width(),
                attention.groups(),
                attention.headDim(),
                config.init().deviation()));
    if (config.recurrence().frozen()) {
      plain.parameters().values().forEach(parameter -> parameter.freeze(true));
    }
  }

  private Attention attention(TokenMixer mixer) {
    if (mixer instanceof Attention attention) {
      try (TokenMixer.State state = attention.start(1, 1)) {
        if (state instanceof Cache) {
          return attention;
        }
      }
    }
    throw new IllegalArgumentException(
        "recurrence.layer is "
            + config.recurrence().layer()
            + ", whose mixer "
            + mixer.getClass().getSimpleName()
            + " takes no keys and values from outside: expected a block with attention over a cache"
            + " of keys and values, such as 'softmax'");
  }

  @Override
  public Config config() {
    return config;
  }

  /** The language model, which reads each window. */
  public CausalLm lm() {
    return lm.get();
  }

  /** The weights of the recurrent module. */
  public List<Parameter> recurrentWeights() {
    return List.copyOf(recurrence.get().parameters().values());
  }

  /**
   * What reading a window gives.
   *
   * @param hidden the final hidden states of its tokens, [B, T, D]
   * @param state what the next window is to be told, [B, R]
   */
  public record Reading(Tensor hidden, Tensor state) {}

  /**
   * Reads one window.
   *
   * @param ids int64 [B, T]
   * @param state that after the window before, [B, R]; null for the first window, or to read this
   *     one alone
   * @throws IllegalArgumentException if the window is longer than the model can take
   */
  public Reading read(Tensor ids, Tensor state) {
    CausalLm plain = lm.get();
    Tensor hidden;
    if (state == null) {
      hidden = plain.hidden(ids);
    } else {
      PrefixCache cache = new PrefixCache(recurrence.get().prefix(state));
      hidden = plain.hidden(ids, config.recurrence().layer(), cache);
    }
    return new Reading(hidden, recurrence.get().next(hidden, state));
  }

  /**
   * Computes the logits of the next token after each position of texts, which are read in windows
   * from their first token on, with the state carried. Gradients go back through as many windows as
   * {@link RecurrenceConfig#horizon} says: the state is detached before each window whose index is
   * a multiple of it.
   *
   * @param ids int64 [B, T], of any length
   * @return logits [B, T, V]
   */
  public Tensor logits(Tensor ids) {
    long length = ids.size(1);
    long window = config.window();
    int horizon = config.recurrence().horizon();
    List<Tensor> all = new ArrayList<>();
    Tensor state = null;
    for (long from = 0, index = 0; from < length; from += window, index++) {
      if (state != null && horizon > 0 && index % horizon == 0) {
        state = state.detach();
      }
      Reading reading = read(ids.narrow(1, from, Math.min(window, length - from)), state);
      all.add(reading.hidden());
      state = reading.state();
    }
    return lm.get().output(Tensor.cat(1, all.toArray(Tensor[]::new)));
  }

  /**
   * Computes the mean cross-entropy of the targets of a window in nats; see {@link CausalLm#loss}.
   *
   * @param reading of the window
   * @param targets int64 [B, T]; those below 0 do not count
   * @return a scalar, float32; NaN if no target counts
   */
  public Tensor loss(Reading reading, Tensor targets) {
    return lm.get().lossOf(reading.hidden(), targets);
  }

  @Override
  protected String details() {
    return String.format(
        java.util.Locale.ROOT,
        "%d layers, width %d, vocabulary %d, windows of %d",
        config.layers(),
        config.width(),
        config.lm().vocab(),
        config.window());
  }
}
