package dev.jformer.model;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the recurrence that carries a state from each window of a text to the next (<a
 * href="https://arxiv.org/abs/2008.07027">Adding Recurrence to Pretrained Transformers for Improved
 * Efficiency and Context Size</a>); see {@link RecurrentLm}.
 *
 * @param window tokens of a window; 0 for the model's length
 * @param windows windows of a sequence in training, at least 2 for anything to be learned
 * @param horizon windows of a piece that gradients stay in (truncated back-propagation through
 *     time), at least 2; 0 for all of a sequence, otherwise at least 2
 * @param layer index of the block, from 0, whose attention sees the state
 * @param slots M, number of keys and values that the state becomes
 * @param state R, numbers of the state; 0 for the model's width
 * @param pooling how the hidden states of a window become one vector
 * @param update how that vector changes the state
 * @param frozen whether the language model's own weights stay as they are in training
 */
@RecordBuilder
public record RecurrenceConfig(
    int window,
    int windows,
    int horizon,
    int layer,
    int slots,
    int state,
    Pooling pooling,
    Update update,
    boolean frozen)
    implements RecurrenceConfigBuilder.With {
  /** How a window's hidden states become one vector. */
  public enum Pooling {
    /** Their mean. */
    MEAN,
    /** That of the last token, which has seen the whole window. */
    LAST
  }

  /** How a window changes the state. */
  public enum Update {
    /**
     * The state is a function of the last window alone. What is older lives on through the hidden
     * states, which have seen the state before.
     */
    FEED_FORWARD,
    /**
     * A gated recurrent unit (<a href="https://arxiv.org/abs/1406.1078">Learning Phrase
     * Representations using RNN Encoder-Decoder for Statistical Machine Translation</a>), whose
     * state also lives on beside the hidden states.
     */
    GATED
  }

  /** Defaults: one slot in the first block, four windows, the mean of hidden states. */
  public RecurrenceConfig() {
    this(0, 4, 0, 0, 1, 0, Pooling.MEAN, Update.FEED_FORWARD, false);
  }

  /** Checks the values. */
  public RecurrenceConfig {
    Checks.atLeast("window", window, 0);
    Checks.atLeast("windows", windows, 1);
    Checks.atLeast("horizon", horizon, 0);
    Checks.check(
        horizon != 1,
        "horizon",
        horizon,
        "0 or at least 2, as a state is learned by what it does to the next window");
    Checks.atLeast("layer", layer, 0);
    Checks.atLeast("slots", slots, 1);
    Checks.atLeast("state", state, 0);
    Checks.notNull("pooling", pooling);
    Checks.notNull("update", update);
  }
}
