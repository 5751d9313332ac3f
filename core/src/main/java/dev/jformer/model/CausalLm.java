package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.FusedCrossEntropy;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Packing;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/** A language model that predicts each token from those before it, such as GPT-2 and Llama. */
public final class CausalLm extends Model {
  /** The most logits that are computed at a time where the loss allows it: 64 MB. */
  private static final long LOGITS = 16 << 20;

  /**
   * Configuration; the defaults are a small GPT-2 for bytes.
   *
   * @param vocab V, number of token ids
   * @param length the longest sequence it is trained on, in tokens
   * @param tied whether the output layer shares the embedding's weight (<a
   *     href="https://arxiv.org/abs/1608.05859">Using the Output Embedding to Improve Language
   *     Models</a>)
   * @param stack the blocks
   * @param embeddingScale factor of the token embeddings before the first block
   * @param logitCap c, with which a logit x becomes {@code c tanh(x/c)}, as in Gemma 2 (<a
   *     href="https://arxiv.org/abs/2408.00118">Gemma 2: Improving Open Language Models at a
   *     Practical Size</a>); 0 for x itself
   * @param embeddingWidth E, the width of token embeddings if it is another than that of the
   *     blocks; linear layers lead from one to the other, and back before the output layer (<a
   *     href="https://arxiv.org/abs/1909.11942">ALBERT: A Lite BERT for Self-supervised Learning of
   *     Language Representations</a>); 0 for the same width
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int vocab,
      int length,
      boolean tied,
      @Flat StackConfig stack,
      double embeddingScale,
      double logitCap,
      int embeddingWidth)
      implements Model.Config, HasStack<Config>, CausalLmConfigBuilder.With {

    /** A small GPT-2. */
    public Config() {
      this(256, 256, true, new StackConfig(), 1, 0, 0);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("vocab", vocab, 1);
      Checks.atLeast("length", length, 1);
      Checks.moreThan("embeddingScale", embeddingScale, 0);
      Checks.atLeast("logitCap", logitCap, 0);
      Checks.atLeast("embeddingWidth", embeddingWidth, 0);
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
  private final Slot<Layer> widen;
  private final Slot<Layer> narrow;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public CausalLm(Config config) {
    this.config = config;
    Initializer normal = Initializer.normal(config.init().deviation());
    boolean other = config.embeddingWidth() != 0;
    long embedded = other ? config.embeddingWidth() : config.width();
    TokenEmbedding table = config.projection().table(config.vocab(), embedded, normal);
    this.embedding = child("embedding", Layer.class, table);
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(
                config.stack(), new TransformerStack.Setting(config.length()).withCausal(true)));
    this.widen = child("widen", Layer.class, between(other, embedded, config.width()));
    this.narrow = child("narrow", Layer.class, between(other, config.width(), embedded));
    this.head =
        child(
            "head",
            Layer.class,
            config.tied()
                ? table.output()
                : config.projection().output(embedded, config.vocab(), normal));
  }

  private Layer between(boolean other, long in, long out) {
    Initializer normal = Initializer.normal(config.init().deviation());
    return other ? config.projection().build(in, out, false, normal) : new Identity();
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
    return output(hidden(ids));
  }

  /** The vectors of tokens: int64 [B, T] to [B, T, D]. */
  private Tensor embed(Tensor ids) {
    Tensor x = widen.get().forward(embedding.get().forward(ids));
    return config.embeddingScale() == 1 ? x : x.mul(config.embeddingScale());
  }

  /** The logits of final hidden states: [..., D] to [..., V]. */
  Tensor output(Tensor hidden) {
    return capped(head.get().forward(narrow.get().forward(hidden)));
  }

  private Tensor capped(Tensor logits) {
    double cap = config.logitCap();
    return cap == 0 ? logits : logits.mul(1 / cap).tanh().mul(cap);
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
    return output(hiddenAt(ids, null, positions));
  }

  /**
   * Computes the logits of the next token after some positions of rows that hold several sequences
   * each. A sequence gives what it gives alone: none sees another, and positions begin anew.
   *
   * @param ids int64 [B, T]
   * @param packing the sequences of each row
   * @param positions int64 [M], places in the flattened ids, from 0 to B·T - 1
   * @return logits [M, V]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public Tensor logitsAt(Tensor ids, Packing packing, Tensor positions) {
    return output(hiddenAt(ids, packing, positions));
  }

  /**
   * Computes the final hidden states, the input of the output layer.
   *
   * @param ids int64 [B, T]
   * @return [B, T, D]
   */
  public Tensor hidden(Tensor ids) {
    return stack.get().forward(embed(ids), ids, null);
  }

  /**
   * Computes the final hidden states, with one block's mixer seeing more than the tokens.
   *
   * @param ids int64 [B, T]
   * @param layer index of the block, from 0
   * @param state what the block's mixer sees besides
   * @return [B, T, D]
   */
  Tensor hidden(Tensor ids, int layer, TokenMixer.State state) {
    return stack.get().forward(embed(ids), ids, layer, state);
  }

  /**
   * Computes the input of each block's token mixer, first block to last, for analysis.
   *
   * @param ids int64 [B, T]
   * @return [B, T, D] each
   */
  public List<Tensor> mixerInputs(Tensor ids) {
    return TransformerStack.mixerInputs(stack.get(), embed(ids), ids);
  }

  /**
   * Computes the mean cross-entropy of the targets in nats. Where no gradient is recorded, or
   * {@link FusedCrossEntropy} is open, the logits of some positions at a time are computed, so that
   * a large vocabulary takes little memory.
   *
   * @param ids int64 [B, T]
   * @param targets int64 [B, T]; those below 0 do not count
   * @return a scalar, float32; NaN if no target counts
   */
  public Tensor loss(Tensor ids, Tensor targets) {
    return lossOf(hidden(ids), targets);
  }

  /**
   * Computes the mean cross-entropy of targets at some positions only, as {@link #loss} does.
   *
   * @param ids int64 [B, T]
   * @param packing the sequences of each row; null if each row is one
   * @param positions int64 [M], places in the flattened ids, from 0 to B·T - 1
   * @param targets int64 [M]; those below 0 do not count
   * @return a scalar, float32; NaN if no target counts
   */
  public Tensor lossAt(Tensor ids, Packing packing, Tensor positions, Tensor targets) {
    return lossOf(hiddenAt(ids, packing, positions).unsqueeze(0), targets.unsqueeze(0));
  }

  private Tensor hiddenAt(Tensor ids, Packing packing, Tensor positions) {
    Tensor hidden =
        packing == null ? hidden(ids) : stack.get().forwardPacked(embed(ids), ids, packing);
    return hidden.flatten(0, 1).indexSelect(0, positions);
  }

  /** As {@link #loss}, from the final hidden states [B, T, D]. */
  Tensor lossOf(Tensor states, Tensor targets) {
    Tensor wanted = targets.flatten(0, 1).maximum(Tensor.full(-1, DType.INT64, 1));
    Tensor hidden = states.flatten(0, 1);
    long rows = hidden.size(0);
    long together = Math.max(1, LOGITS / config.vocab());
    if (rows > together && FusedCrossEntropy.isOn()) {
      List<Parameter> weights = new ArrayList<>(head.get().trained());
      weights.addAll(narrow.get().trained());
      return FusedCrossEntropy.of(this::output, weights, hidden, wanted, together);
    }
    if (Autograd.isRecording() || rows <= together) {
      return Functional.crossEntropy(output(hidden).to(DType.FLOAT32), wanted, -1, 0);
    }
    double sum = 0;
    for (long from = 0; from < rows; from += together) {
      try (Scope scope = Scope.open()) {
        long count = Math.min(together, rows - from);
        Tensor logits = output(hidden.narrow(0, from, count)).to(DType.FLOAT32);
        sum += Functional.crossEntropyEach(logits, wanted.narrow(0, from, count), -1).sum().item();
      }
    }
    double counted = wanted.ge(0).to(DType.FLOAT64).sum().item();
    return Tensor.full(sum / counted, DType.FLOAT32);
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

  /**
   * Sequences being decoded: the state of every mixer after the tokens so far. The model's layers
   * must not be replaced, nor its weights changed, before it is closed: some are read once only.
   */
  public final class Decoding implements AutoCloseable {
    private final TransformerStack<Block>.Decoding states;

    /** The ids read, if they may have to be read again; null if none were. */
    private Tensor read;

    private final boolean rereads;

    /** The length of the sequence for which the states were computed. */
    private long computed;

    private RowFunction outputRows;

    private Decoding(long batch, long capacity) {
      this.states = stack.get().decode(batch, capacity, null);
      this.rereads = stack.get().positionsChange(1, capacity);
    }

    /**
     * Reads the next tokens and computes the logits after the last of them.
     *
     * @param ids int64 [B, T]
     * @return logits [B, V], the same as the last of {@link CausalLm#logits} for the whole sequence
     */
    public Tensor next(Tensor ids) {
      Tensor x = hidden(ids);
      Tensor last = x.narrow(1, x.size(1) - 1, 1);
      RowFunction rows = BlocksRows.suits(last) && !isTraining() ? outputRows() : null;
      return (rows == null ? output(last) : capped(outputOf(last, rows))).squeeze(1);
    }

    /** The output layer for plain floats; null if it has none. */
    private RowFunction outputRows() {
      if (outputRows == null && narrow.get() instanceof Identity) {
        outputRows = head.get().rowFunction();
      }
      return outputRows;
    }

    private Tensor outputOf(Tensor last, RowFunction rows) {
      float[] logits = new float[Math.toIntExact(last.size(0)) * config.vocab()];
      rows.apply(last.toFloats(), logits, Math.toIntExact(last.size(0)));
      return Tensor.of(logits, last.size(0), 1, config.vocab());
    }

    /** Reads the next tokens and computes the logits after each of them: [B, T, V]. */
    public Tensor all(Tensor ids) {
      return output(hidden(ids));
    }

    private Tensor hidden(Tensor ids) {
      return rereads ? hiddenOfAll(ids) : states.next(embed(ids), ids);
    }

    /** Reads all tokens again if their positions are encoded in another way now. */
    private Tensor hiddenOfAll(Tensor ids) {
      long before = states.length();
      Tensor all = before == 0 ? ids : Tensor.cat(1, read.narrow(1, 0, before), ids);
      boolean again = before > 0 && stack.get().positionsChange(computed, all.size(1));
      if (again) {
        states.truncate(0);
      }
      Tensor x = again ? states.next(embed(all), all) : states.next(embed(ids), ids);
      computed = all.size(1);
      forget();
      read = all.copy().keep();
      return again ? x.narrow(1, before, ids.size(1)) : x;
    }

    private void forget() {
      if (read != null) {
        read.close();
        read = null;
      }
    }

    /** Number of tokens read. */
    public long length() {
      return states.length();
    }

    /** Drops all tokens after the first {@code newLength}, if all mixers support it. */
    public void truncate(long newLength) {
      states.truncate(newLength);
    }

    /** The state of each block's mixer, first block to last. */
    public List<TokenMixer.State> states() {
      return states.states();
    }

    /** Bytes of memory that all layers hold. */
    public long bytes() {
      return states.bytes();
    }

    /** Releases the states. */
    @Override
    public void close() {
      forget();
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
