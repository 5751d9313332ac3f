package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.config.FormerNames;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.mixer.reduction.TokenReducingAttention;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * An encoder of texts in which each token sees all others, as BERT (arXiv 1810.04805): it fills in
 * tokens that are masked, classifies texts by the mean of their tokens, or gives this mean as the
 * text's embedding. {@link Embeddings} and {@link Head} say what its two ends are; with a norm on
 * the embeddings, two types of tokens and norms after the halves of its blocks it is BERT itself.
 */
public final class Encoder extends Model {
  /** Ids of the vocabulary that stand for no text, where the tokenizer has none for them. */
  public static final int SPECIAL = 2;

  /**
   * What stands for a token before the first block: the sum of vectors for its word, its position
   * and its type.
   *
   * @param norm the normalisation of the sum
   * @param tokenTypes number of types of tokens, such as BERT's two for the halves of a pair of
   *     texts; 0 for none
   * @param mask the id that stands for a token to be filled in
   * @param padding the id that fills short texts up; negative if tokenizers know neither, so that
   *     the mask and padding are the two last ids of the vocabulary. If padding is given and the
   *     mask is negative, there is no mask
   */
  public record Embeddings(Norm.Config norm, int tokenTypes, int mask, int padding) {
    /** The sum of word and position as it is. */
    public Embeddings() {
      this(new Norm.NoNormConfig(), 0, -1, -1);
    }

    /** Checks the values. */
    public Embeddings {
      Checks.notNull("norm", norm);
      Checks.atLeast("tokenTypes", tokenTypes, 0);
      if (padding < 0 && mask >= 0) {
        throw new IllegalArgumentException(
            "mask is " + mask + " and padding " + padding + ": expected both to be given");
      }
    }

    /** Whether mask and padding follow the ids of the tokenizer. */
    private boolean appended() {
      return padding < 0;
    }

    private void check(int vocab) {
      if (appended() ? vocab <= SPECIAL : mask >= vocab || padding >= vocab) {
        throw new IllegalArgumentException(
            "vocab is "
                + vocab
                + ": expected "
                + (appended()
                    ? "more than " + SPECIAL
                    : "ids for the mask, " + mask + ", and padding, " + padding));
      }
    }
  }

  /**
   * What fills in masked tokens on top of the last block: a linear layer, GELU, a normalisation and
   * scores by the table of words.
   *
   * @param mlmHead whether there is one
   * @param norm its normalisation
   */
  public record Head(@FormerNames("fillsIn") boolean mlmHead, Norm.Config norm) {
    /** There is one, with layer normalisation. */
    public Head() {
      this(true, new Norm.LayerNormConfig());
    }

    /** Checks the values. */
    public Head {
      Checks.notNull("norm", norm);
    }
  }

  /**
   * Configuration; the defaults are a small encoder of bytes.
   *
   * @param vocab V, number of token ids, mask and padding among them
   * @param labels number of classes of texts; 0 for a model that has none
   * @param length the longest text, in tokens
   * @param stack the blocks
   * @param embeddings what stands for a token before the first block
   * @param head what fills in masked tokens
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int vocab, int labels, int length, @Flat StackConfig stack, Embeddings embeddings, Head head)
      implements Model.Config, HasStack<Config>, EncoderConfigBuilder.With {

    /** A small encoder of bytes. */
    public Config() {
      this(
          256 + SPECIAL,
          0,
          128,
          new StackConfig().withWidth(128).withBlock(new BlockConfig().withDropout(0.1)),
          new Embeddings(),
          new Head());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("length", length, 1);
      Checks.atLeast("labels", labels, 0);
      Checks.notNull("embeddings", embeddings);
      Checks.notNull("head", head);
      if (labels == 0
          && head.mlmHead()
          && stack.block().mixer() instanceof TokenReducingAttention.Config) {
        throw new IllegalArgumentException(
            "mixer is 'token-reduction' in an encoder that fills in tokens, which asks for all of them:"
                + " expected one that gives embeddings or has classes");
      }
      embeddings.check(vocab);
      if (head.mlmHead() && !embeddings.appended() && embeddings.mask() < 0) {
        throw new IllegalArgumentException(
            "mask is " + embeddings.mask() + ": a model that fills in needs one");
      }
    }

    @Override
    public String type() {
      return "encoder";
    }

    @Override
    public Encoder build() {
      return new Encoder(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return EncoderConfigBuilder.With.super.withStack(stack);
    }

    /**
     * This configuration for the tokens of a tokenizer and so many classes.
     *
     * @throws IllegalArgumentException if its mask and padding are the tokenizer's own and this
     *     tokenizer has more ids than the vocabulary
     */
    public Config sized(int tokens, int classes) {
      if (!embeddings.appended() && tokens > vocab) {
        throw new IllegalArgumentException(
            "the tokenizer has " + tokens + " ids, but the model knows " + vocab);
      }
      int ids = embeddings.appended() ? tokens + SPECIAL : vocab;
      return with(c -> c.vocab(ids).labels(classes));
    }

    /** This configuration with what fills in masked tokens. */
    public Config withMlmHead() {
      return withHead(new Head(true, head.norm()));
    }

    /** Whether the ids of a tokenizer with so many are those of this vocabulary. */
    public boolean fits(int tokens) {
      return embeddings.appended() ? tokens + SPECIAL == vocab : tokens <= vocab;
    }

    /** Number of ids that stand for text, or what else a tokenizer has an id for. */
    public int tokens() {
      return embeddings.appended() ? vocab - SPECIAL : vocab;
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<Layer> tokenTypes;
  private final Slot<TransformerStack<Block>> trunk;
  private final Slot<Layer> transform;
  private final Slot<Layer> transformNorm;
  private final Slot<Layer> decoder;
  private final Parameter decoderBias;
  private final Slot<Layer> classifier;

  /** A model with freshly drawn weights. */
  public Encoder(Config config) {
    this.config = config;
    int width = config.width();
    Initializer normal = Initializer.normal(config.init().deviation());
    TokenEmbedding table = config.projection().table(config.vocab(), width, normal);
    this.embedding = child("embedding", Layer.class, table);
    int types = config.embeddings().tokenTypes();
    this.tokenTypes =
        types == 0 ? null : child("tokenTypes", Layer.class, new Embedding(types, width, normal));
    this.trunk =
        child(
            "trunk",
            TransformerStack.class,
            TransformerStack.of(
                config.stack(),
                new TransformerStack.Setting(config.length())
                    .withInputNorm(config.embeddings().norm())));
    if (config.head().mlmHead()) {
      this.transform = child("transform", Layer.class, new Linear(width, width, true, normal));
      this.transformNorm = child("transformNorm", Layer.class, config.head().norm().build(width));
      this.decoder = child("decoder", Layer.class, table.output());
      this.decoderBias = parameter("decoderBias", Tensor.zeros(config.vocab()));
    } else {
      this.transform = null;
      this.transformNorm = null;
      this.decoder = null;
      this.decoderBias = null;
    }
    this.classifier =
        config.labels() == 0
            ? null
            : child("classifier", Layer.class, new Linear(width, config.labels(), true, normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /**
   * The id that stands for a token to be filled in.
   *
   * @throws IllegalStateException if the vocabulary has none
   */
  public long mask() {
    Embeddings embeddings = config.embeddings();
    if (embeddings.appended()) {
      return config.vocab() - 2L;
    }
    if (embeddings.mask() < 0) {
      throw new IllegalStateException("the vocabulary of this encoder has no mask");
    }
    return embeddings.mask();
  }

  /** The id that fills short texts up. */
  public long padding() {
    Embeddings embeddings = config.embeddings();
    return embeddings.appended() ? config.vocab() - 1L : embeddings.padding();
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  /**
   * The final hidden states, fewer of them where the mixer lets tokens go. All tokens are of the
   * first type, where there are types.
   *
   * @param ids int64 [B, T]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @return [B, T, D]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor hidden(Tensor ids, Tensor paddingMask) {
    return hidden(ids, firstType(), paddingMask);
  }

  /**
   * The final hidden states of tokens of several types, such as those of pairs of texts.
   *
   * @param ids int64 [B, T]
   * @param types int64 [B, T], from 0; null where the model has no types
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @return [B, T, D]
   * @throws IllegalArgumentException if a text is longer than the model can take, or there are
   *     types for a model that has none, or the other way round
   */
  public Tensor hidden(Tensor ids, Tensor types, Tensor paddingMask) {
    if ((types == null) != (tokenTypes == null)) {
      throw new IllegalArgumentException(
          "this encoder has "
              + config.embeddings().tokenTypes()
              + " types of tokens: expected "
              + (types == null ? "the type of each token" : "none to be given"));
    }
    return last(ids, types, paddingMask).x();
  }

  private TokenBatch last(Tensor ids, Tensor types, Tensor paddingMask) {
    Tensor words = embedding.get().forward(ids);
    Tensor x = types == null ? words : words.add(tokenTypes.get().forward(types));
    return TransformerStack.reduce(trunk.get(), x, ids, paddingMask);
  }

  /** For all tokens of the first type, where there are types. */
  private Tensor firstType() {
    return tokenTypes == null ? null : Tensor.zeros(DType.INT64, 1, 1);
  }

  /**
   * The mean of the final hidden states of each text, padding left out.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s; zeros for a text that has nothing else
   * @return [B, D]
   */
  public Tensor pooled(Tensor ids, Tensor paddingMask) {
    return last(ids, firstType(), paddingMask).mean();
  }

  /**
   * Scores of the tokens that could stand at each place.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s
   * @return logits [B, T, V]
   * @throws IllegalStateException if the model does not fill in
   */
  public Tensor mlmLogits(Tensor ids, Tensor paddingMask) {
    return mlmLogits(hidden(ids, paddingMask));
  }

  private Tensor mlmLogits(Tensor hidden) {
    if (transform == null) {
      throw new IllegalStateException(
          "this encoder does not fill in: its configuration says so in head.mlmHead");
    }
    Tensor x = transformNorm.get().forward(Functional.gelu(transform.get().forward(hidden)));
    return decoder.get().forward(x).add(decoderBias.value());
  }

  /**
   * Mean cross-entropy of the tokens that were masked, in nats.
   *
   * @param ids int64 [B, T]
   * @param places int64 [M], which of the B T tokens are asked for
   * @param targets int64 [M], what they are
   * @return a scalar, float32
   */
  public Tensor mlmLoss(Tensor ids, Tensor places, Tensor targets) {
    return Functional.crossEntropy(mlmLogitsAt(ids, places), targets, -1, 0);
  }

  /**
   * Scores of the tokens that could stand at some places, the others not being computed.
   *
   * @param ids int64 [B, T]
   * @param places int64 [M], which of the B T tokens are asked for
   * @return logits [M, V], float32
   */
  public Tensor mlmLogitsAt(Tensor ids, Tensor places) {
    Tensor asked = hidden(ids, null).flatten(0, 1).indexSelect(0, places);
    return mlmLogits(asked).to(DType.FLOAT32);
  }

  /**
   * Scores of the classes of texts.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s
   * @return logits [B, K]
   * @throws IllegalStateException if the model has no classes
   */
  public Tensor logits(Tensor ids, Tensor paddingMask) {
    if (classifier == null) {
      throw new IllegalStateException("this encoder has no classes of texts");
    }
    return classifier.get().forward(pooled(ids, paddingMask));
  }

  @Override
  public String toString() {
    return String.format(
        java.util.Locale.ROOT,
        "%s, %d layers, width %d, vocabulary %d, %d classes, %.1f M parameters",
        config.type(),
        config.layers(),
        config.width(),
        config.vocab(),
        config.labels(),
        parameterCount() / 1e6);
  }
}
