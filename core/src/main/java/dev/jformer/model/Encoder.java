package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.config.FormerNames;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.mixer.reduction.TokenReducingAttention;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Identity;
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
 * An encoder of texts, bidirectional unless it is made causal, such as BERT (<a
 * href="https://arxiv.org/abs/1810.04805">BERT: Pre-training of Deep Bidirectional Transformers for
 * Language Understanding</a>): a masked language model, a classifier of texts or of each token, or
 * a model of embeddings, which are means over tokens. {@link Embeddings}, {@link Head} and {@link
 * ClassifierHead} configure its two ends; with a norm on the embeddings, two token types and
 * post-norm blocks it is BERT itself. It can be causal, too, so that it learns to predict each next
 * token before it learns classes.
 */
public final class Encoder extends Model {
  /** The number of ids for mask and padding that are added if the tokenizer has none for them. */
  public static final int SPECIAL = 2;

  /**
   * Configuration of the embeddings: the sum of vectors for a token's word, its position and its
   * type.
   *
   * @param norm the normalisation of the sum
   * @param tokenTypes number of types of tokens, such as BERT's two for the halves of a pair of
   *     texts; 0 for none
   * @param mask the id of the mask token
   * @param padding the id of the padding token; negative if tokenizers have neither, so that the
   *     mask and padding are the two last ids of the vocabulary. If padding is given and the mask
   *     is negative, there is no mask
   */
  public record Embeddings(Norm.Config norm, int tokenTypes, int mask, int padding) {
    /** Defaults: the sum of word and position, not normalised. */
    public Embeddings() {
      this(new Norm.NoNormConfig(), 0, -1, -1);
    }

    /** Checks the values. */
    public Embeddings {
      Checks.notNull("norm", norm);
      Checks.atLeast("tokenTypes", tokenTypes, 0);
      if (padding < 0 && mask >= 0) {
        throw new IllegalArgumentException(
            "mask is " + mask + " and padding " + padding + ": a mask needs padding as well");
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
   * Configuration of the head for masked language modelling: a linear layer, GELU, a normalisation
   * and logits by the token embedding.
   *
   * @param mlmHead whether there is such a head
   * @param norm its normalisation
   * @param bias whether its linear layer has a bias
   */
  public record Head(@FormerNames("fillsIn") boolean mlmHead, Norm.Config norm, boolean bias) {
    /** Defaults: a head with layer normalisation. */
    public Head() {
      this(true, new Norm.LayerNormConfig());
    }

    /** A head whose linear layer has a bias. */
    public Head(boolean mlmHead, Norm.Config norm) {
      this(mlmHead, norm, true);
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
   * @param labels number of classes of texts or tokens; 0 for a model without classes
   * @param length the longest text, in tokens
   * @param stack the blocks
   * @param embeddings the embeddings of tokens
   * @param head the head for masked language modelling
   * @param classifier the head that finds the class if there are labels
   * @param causal whether a token sees itself and earlier ones only
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int vocab,
      int labels,
      int length,
      @Flat StackConfig stack,
      Embeddings embeddings,
      Head head,
      ClassifierHead classifier,
      boolean causal)
      implements Model.Config, HasStack<Config>, EncoderConfigBuilder.With {

    /** A small encoder of bytes. */
    public Config() {
      this(
          256 + SPECIAL,
          0,
          128,
          new StackConfig().withWidth(128).withBlock(new BlockConfig().withDropout(0.1)),
          new Embeddings(),
          new Head(),
          new ClassifierHead(),
          false);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("length", length, 1);
      Checks.atLeast("labels", labels, 0);
      Checks.notNull("embeddings", embeddings);
      Checks.notNull("head", head);
      Checks.notNull("classifier", classifier);
      boolean reduced = stack.block().mixer() instanceof TokenReducingAttention.Config;
      if (reduced && labels > 0 && classifier.input() != ClassifierHead.Input.MEAN) {
        throw new IllegalArgumentException(
            "mixer is 'token-reduction' and classifier.input "
                + classifier.input()
                + ": a model that drops tokens can only classify by their MEAN");
      }
      if (labels == 0 && head.mlmHead() && reduced) {
        throw new IllegalArgumentException(
            "mixer is 'token-reduction' in a masked language model, which needs all tokens:"
                + " set head.mlmHead to false or labels to at least 1");
      }
      embeddings.check(vocab);
      if (head.mlmHead() && !embeddings.appended() && embeddings.mask() < 0) {
        throw new IllegalArgumentException(
            "mask is "
                + embeddings.mask()
                + ": a masked language model needs an id of the vocabulary");
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
     * Returns this configuration for the tokens of a tokenizer and a number of classes.
     *
     * @throws IllegalArgumentException if its mask and padding are the tokenizer's own and this
     *     tokenizer has more ids than the vocabulary
     */
    public Config sized(int tokens, int classes) {
      if (!embeddings.appended() && tokens > vocab) {
        throw new IllegalArgumentException(
            "the tokenizer has "
                + tokens
                + " ids, but the model has "
                + vocab
                + ": use the model's own tokenizer");
      }
      int ids = embeddings.appended() ? tokens + SPECIAL : vocab;
      return with(c -> c.vocab(ids).labels(classes));
    }

    /** Returns this configuration with a head for masked language modelling. */
    public Config withMlmHead() {
      return withHead(new Head(true, head.norm(), head.bias()));
    }

    /** Whether the vocabulary is that of a tokenizer with a number of ids. */
    public boolean fits(int tokens) {
      return embeddings.appended() ? tokens + SPECIAL == vocab : tokens <= vocab;
    }

    /** The number of ids that the tokenizer has. */
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
  private final Slot<Layer> classifierDense;
  private final Slot<Layer> classifierNorm;
  private final Slot<Layer> classifier;

  /** Creates a model with random weights. */
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
                    .with(s -> s.causal(config.causal()).inputNorm(config.embeddings().norm()))));
    if (config.head().mlmHead()) {
      this.transform =
          child("transform", Layer.class, new Linear(width, width, config.head().bias(), normal));
      this.transformNorm = child("transformNorm", Layer.class, config.head().norm().build(width));
      this.decoder = child("decoder", Layer.class, table.output());
      this.decoderBias = parameter("decoderBias", Tensor.zeros(config.vocab()));
    } else {
      this.transform = null;
      this.transformNorm = null;
      this.decoder = null;
      this.decoderBias = null;
    }
    if (config.labels() > 0) {
      ClassifierHead head = config.classifier();
      Layer dense = head.dense() ? new Linear(width, width, head.bias(), normal) : new Identity();
      this.classifierDense = child("classifierDense", Layer.class, dense);
      this.classifierNorm = child("classifierNorm", Layer.class, head.norm().build(width));
      this.classifier =
          child("classifier", Layer.class, new Linear(width, config.labels(), true, normal));
    } else {
      this.classifierDense = null;
      this.classifierNorm = null;
      this.classifier = null;
    }
  }

  @Override
  public Config config() {
    return config;
  }

  /**
   * The id of the mask token.
   *
   * @throws IllegalStateException if the vocabulary has no mask
   */
  public long mask() {
    Embeddings embeddings = config.embeddings();
    if (embeddings.appended()) {
      return config.vocab() - 2L;
    }
    if (embeddings.mask() < 0) {
      throw new IllegalStateException(
          "this encoder has no mask token: embeddings.mask is negative");
    }
    return embeddings.mask();
  }

  /** The id of the padding token. */
  public long padding() {
    Embeddings embeddings = config.embeddings();
    return embeddings.appended() ? config.vocab() - 1L : embeddings.padding();
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  /**
   * Computes the final hidden states, fewer than tokens if the mixer reduces them. All tokens get
   * the first type if there are types.
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
   * Computes the final hidden states of tokens of several types, such as those of pairs of texts.
   *
   * @param ids int64 [B, T]
   * @param types int64 [B, T], from 0; null if the model has no types
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
    return TransformerStack.reduce(trunk.get(), embed(ids, types), ids, paddingMask);
  }

  private Tensor embed(Tensor ids, Tensor types) {
    Tensor words = embedding.get().forward(ids);
    return types == null ? words : words.add(tokenTypes.get().forward(types));
  }

  /** The vectors of words and of the first type, without positions: int64 [B, T] to [B, T, D]. */
  Tensor embed(Tensor ids) {
    return embed(ids, firstType());
  }

  /** The type of all tokens if none are given: the first, or null if there are no types. */
  private Tensor firstType() {
    return tokenTypes == null ? null : Tensor.zeros(DType.INT64, 1, 1);
  }

  /**
   * Computes the mean of the final hidden states of each text, padding excluded.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s; the mean is 0 for a text of padding
   *     only
   * @return [B, D]
   */
  public Tensor pooled(Tensor ids, Tensor paddingMask) {
    return last(ids, firstType(), paddingMask).mean();
  }

  /**
   * Computes the logits of the tokens at each position.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s
   * @return logits [B, T, V]
   * @throws IllegalStateException if the model has no head for masked language modelling
   */
  public Tensor mlmLogits(Tensor ids, Tensor paddingMask) {
    return mlmLogits(hidden(ids, paddingMask));
  }

  /** The logits of tokens from hidden states: [..., D] to [..., V]. */
  Tensor mlmLogits(Tensor hidden) {
    if (transform == null) {
      throw new IllegalStateException(
          "this encoder has no head for masked language modelling: head.mlmHead is false");
    }
    Tensor x = transformNorm.get().forward(Functional.gelu(transform.get().forward(hidden)));
    return decoder.get().forward(x).add(decoderBias.value());
  }

  /**
   * Computes the mean cross-entropy of the masked tokens in nats.
   *
   * @param ids int64 [B, T]
   * @param places int64 [M], indices of the masked tokens among the B T tokens
   * @param targets int64 [M], the original tokens
   * @return a scalar, float32
   */
  public Tensor mlmLoss(Tensor ids, Tensor places, Tensor targets) {
    return Functional.crossEntropy(mlmLogitsAt(ids, places), targets, -1, 0);
  }

  /**
   * Computes the logits of the tokens at some positions only.
   *
   * @param ids int64 [B, T]
   * @param places int64 [M], indices of the positions among the B T tokens
   * @return logits [M, V], float32
   */
  public Tensor mlmLogitsAt(Tensor ids, Tensor places) {
    return mlmLogitsAt(ids, null, places);
  }

  /**
   * Computes the logits of the tokens at some positions of padded texts only.
   *
   * @param ids int64 [B, T]
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s
   * @param places int64 [M], indices of the positions among the B T tokens
   * @return logits [M, V], float32
   */
  public Tensor mlmLogitsAt(Tensor ids, Tensor paddingMask, Tensor places) {
    Tensor asked = hidden(ids, paddingMask).flatten(0, 1).indexSelect(0, places);
    return mlmLogits(asked).to(DType.FLOAT32);
  }

  /**
   * Computes the logits of the classes of texts or of each token.
   *
   * @param ids as {@link #hidden(Tensor, Tensor)}'s
   * @param paddingMask as {@link #hidden(Tensor, Tensor)}'s
   * @return logits [B, K], or [B, T, K] if {@link ClassifierHead#labelsTokens tokens have labels}
   * @throws IllegalStateException if the model has no classes
   */
  public Tensor logits(Tensor ids, Tensor paddingMask) {
    if (classifier == null) {
      throw new IllegalStateException("this encoder has no classes: labels is 0");
    }
    ClassifierHead head = config.classifier();
    Tensor x =
        switch (head.input()) {
          case MEAN -> pooled(ids, paddingMask);
          case FIRST -> hidden(ids, paddingMask).select(1, 0);
          case TOKENS -> hidden(ids, paddingMask);
        };
    if (head.dense()) {
      x = head.activation().apply(classifierDense.get().forward(x));
    }
    return classifier.get().forward(classifierNorm.get().forward(x));
  }

  @Override
  protected String details() {
    return String.format(
        java.util.Locale.ROOT,
        "%d layers, width %d, vocabulary %d%s",
        config.layers(),
        config.width(),
        config.vocab(),
        config.labels() == 0 ? "" : ", " + config.labels() + " classes");
  }
}
