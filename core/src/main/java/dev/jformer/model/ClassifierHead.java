package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Norm;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of an encoder's classifier: the states that it reads, and the layers before the
 * linear one that gives the logits.
 *
 * @param input the states that it reads
 * @param dense whether a linear layer from the model's width to itself comes first, as BERT's
 *     pooler
 * @param activation after that layer
 * @param bias whether that layer has a bias
 * @param norm the normalisation after the activation
 */
@RecordBuilder
public record ClassifierHead(
    Input input, boolean dense, Activation activation, boolean bias, Norm.Config norm)
    implements ClassifierHeadBuilder.With {
  /** The states that a classifier reads. */
  public enum Input {
    /** The mean of the states of all tokens, for a label of the text. */
    MEAN,
    /** The state of the first token, for a label of the text. */
    FIRST,
    /** The state of each token, for a label of each token, as in named-entity recognition. */
    TOKENS
  }

  /** A linear layer on the mean of the states. */
  public ClassifierHead() {
    this(Input.MEAN);
  }

  /** A linear layer on some states. */
  public ClassifierHead(Input input) {
    this(input, false, Activation.TANH, true, new Norm.NoNormConfig());
  }

  /** A linear layer and an activation before the layer that gives the logits. */
  public ClassifierHead(Input input, Activation activation) {
    this(input, true, activation, true, new Norm.NoNormConfig());
  }

  /** Checks the values. */
  public ClassifierHead {
    Checks.notNull("input", input);
    Checks.notNull("activation", activation);
    Checks.notNull("norm", norm);
  }

  /** This head if it labels texts, else the usual one for texts. */
  public ClassifierHead ofTexts() {
    return labelsTokens() ? new ClassifierHead() : this;
  }

  /** This head if it labels tokens, else the usual one for tokens. */
  public ClassifierHead ofTokens() {
    return labelsTokens() ? this : new ClassifierHead(Input.TOKENS);
  }

  /** Whether each token has a label, rather than each text. */
  public boolean labelsTokens() {
    return input == Input.TOKENS;
  }
}
