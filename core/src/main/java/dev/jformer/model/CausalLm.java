package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/** A language model that predicts each token from those before it, such as GPT-2 and Llama. */
public final class CausalLm extends Model {
  /**
   * Configuration; the defaults are a small GPT-2 for bytes.
   *
   * @param vocab V, number of token ids
   * @param length the longest sequence it is trained on, in tokens
   * @param tied whether the output layer shares the embedding's weight (<a
   *     href="https://arxiv.org/abs/1608.05859">Using the Output Embedding to Improve Language
   *     Models</a>)
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(int vocab, int length, boolean tied, @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, CausalLmConfigBuilder.With {

    /** A small GPT-2. */
    public Config() {
      this(256, 256, true, new StackConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("vocab", vocab, 1);
      Checks.atLeast("length", length, 1);
    }

    @Override
    public String type() {
      return "causal-lm";
    }

    @Override
    public CausalLm build() {
      return new CausalLm(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return CausalLmConfigBuilder.With.super.withStack(stack);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<TransformerStack<Block>> stack;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public CausalLm(Config config) {
    this.config = config;
    Initializer normal = Initializer.normal(config.init().deviation());
    TokenEmbedding table = config.projection().table(config.vocab(), config.width(), normal);
    this.embedding = child("embedding", Layer.class, table);
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(
                config.stack(), new TransformerStack.Setting(config.length()).withCausal(true)));
    this.head =
        child(
            "head",
            Layer.class,
            config.tied()
                ? table.output()
                : config.projection().output(config.width(), config.vocab(), normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /**
   * The most tokens a sequence can have: the model's length, or no bound if its positions
   * extrapolate.
   */
  public long longest() {
    return stack.get().longest();
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return stack.get().blocks();
  }

  /**
   * Computes the logits of the next token after each position.
   *
   * @param ids int64 [B, T]
   * @return logits [B, T, V]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public Tensor logits(Tensor ids) {
    return head.get().forward(hidden(ids));
  }

  /**
   * Computes the logits of the next token after some positions only, which saves memory where few
   * tokens are learned.
   *
   * @param ids int64 [B, T]
   * @param positions int64 [M], places in the flattened ids, from 0 to B·T - 1
   * @return logits [M, V]
   */
  public Tensor logitsAt(Tensor ids, Tensor positions) {
    return head.get().forward(hidden(ids).flatten(0, 1).indexSelect(0, positions));
  }

  /**
   * Computes the final hidden states, the input of the output layer.
   *
   * @param ids int64 [B, T]
   * @return [B, T, D]
   */
  public Tensor hidden(Tensor ids) {
    return stack.get().forward(embedding.get().forward(ids), ids, null);
  }

  /**
   * Computes the input of each block's token mixer, first block to last, for analysis.
   *
   * @param ids int64 [B, T]
   * @return [B, T, D] each
   */
  public List<Tensor> mixerInputs(Tensor ids) {
    return TransformerStack.mixerInputs(stack.get(), embedding.get().forward(ids), ids);
  }

  /**
   * Computes the mean cross-entropy of the targets in nats.
   *
   * @param ids int64 [B, T]
   * @param targets int64 [B, T]; those below 0 do not count
   * @return a scalar, float32
   */
  public Tensor loss(Tensor ids, Tensor targets) {
    Tensor logits = logits(ids).flatten(0, 1).to(DType.FLOAT32);
    Tensor ignored = Tensor.full(-1, DType.INT64, 1);
    return Functional.crossEntropy(logits, targets.flatten(0, 1).maximum(ignored), -1, 0);
  }

  /**
   * Starts decoding.
   *
   * @param batch B
   * @param capacity the most tokens a sequence will have
   * @throws UnsupportedOperationException if a mixer cannot decode step by step
   */
  public Decoding decode(long batch, long capacity) {
    return new Decoding(batch, capacity);
  }

  /** Sequences being decoded: the state of every mixer after the tokens so far. */
  public final class Decoding implements AutoCloseable {
    private final TransformerStack<Block>.Decoding states;

    private Decoding(long batch, long capacity) {
      this.states = stack.get().decode(batch, capacity, null);
    }

    /**
     * Reads the next tokens and computes the logits after the last of them.
     *
     * @param ids int64 [B, T]
     * @return logits [B, V], the same as the last of {@link CausalLm#logits} for the whole sequence
     */
    public Tensor next(Tensor ids) {
      Tensor x = hidden(ids);
      return head.get().forward(x.narrow(1, x.size(1) - 1, 1)).squeeze(1);
    }

    /** Reads the next tokens and computes the logits after each of them: [B, T, V]. */
    public Tensor all(Tensor ids) {
      return head.get().forward(hidden(ids));
    }

    private Tensor hidden(Tensor ids) {
      return states.next(embedding.get().forward(ids), ids);
    }

    /** Number of tokens read. */
    public long length() {
      return states.length();
    }

    /** Drops all tokens after the first {@code newLength}, if all mixers support it. */
    public void truncate(long newLength) {
      states.truncate(newLength);
    }

    /** Bytes of memory that all layers hold. */
    public long bytes() {
      return states.bytes();
    }

    /** Releases the states. */
    @Override
    public void close() {
      states.close();
    }
  }

  @Override
  protected String details() {
    return String.format(
        java.util.Locale.ROOT,
        "%d layers, width %d, vocabulary %d",
        config.layers(),
        config.width(),
        config.vocab());
  }
}
