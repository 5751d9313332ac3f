package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/** A bidirectional encoder that classifies every token of a sequence, such as BERT for tagging. */
public final class TokenClassifier extends Model implements TokenLabeller {
  /**
   * Configuration; the defaults are a small encoder of bytes with two labels.
   *
   * @param vocab V, number of token ids
   * @param labels number of labels
   * @param length the longest sequence it is trained on, in tokens
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(int vocab, int labels, int length, @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, TokenClassifierConfigBuilder.With {

    /** A small encoder of bytes with two labels. */
    public Config() {
      this(256, 2, 256, new StackConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("vocab", vocab, 1);
      Checks.atLeast("labels", labels, 1);
      Checks.atLeast("length", length, 1);
    }

    @Override
    public String type() {
      return "token-classifier";
    }

    @Override
    public TokenClassifier build() {
      return new TokenClassifier(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return TokenClassifierConfigBuilder.With.super.withStack(stack);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<TransformerStack<Block>> stack;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public TokenClassifier(Config config) {
    this.config = config;
    Initializer normal = Initializer.normal(config.init().deviation());
    this.embedding =
        child("embedding", Layer.class, new Embedding(config.vocab(), config.width(), normal));
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(config.stack(), new TransformerStack.Setting(config.length())));
    this.head =
        child("head", Layer.class, new Linear(config.width(), config.labels(), true, normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return stack.get().blocks();
  }

  @Override
  public Tensor logits(Tensor ids, Tensor paddingMask) {
    Tensor x = embedding.get().forward(ids);
    return head.get().forward(stack.get().forward(x, ids, paddingMask));
  }

  /**
   * Computes the mean cross-entropy of the labels in nats.
   *
   * @param ids int64 [B, T]
   * @param paddingMask as in {@link #logits}
   * @param targets int64 [B, T]; those below 0 do not count
   * @return a scalar, float32
   */
  public Tensor loss(Tensor ids, Tensor paddingMask, Tensor targets) {
    Tensor logits = logits(ids, paddingMask).flatten(0, 1).to(DType.FLOAT32);
    Tensor ignored = Tensor.full(-1, DType.INT64, 1);
    return Functional.crossEntropy(logits, targets.flatten(0, 1).maximum(ignored), -1, 0);
  }
}
