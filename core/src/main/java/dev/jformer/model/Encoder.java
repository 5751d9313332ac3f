package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.SoftmaxAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import dev.jformer.nn.Site;
import dev.jformer.nn.Slot;
import dev.jformer.nn.Table;
import dev.jformer.position.Learned;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * An encoder of texts in which each token sees all others, as BERT (arXiv 1810.04805): it fills in
 * tokens that are masked, and classifies texts by the mean of their tokens. The two last ids of its
 * vocabulary are the mask and padding.
 */
public final class Encoder extends Model {
  /** Ids of the vocabulary that stand for no text. */
  public static final int SPECIAL = 2;

  /**
   * Configuration.
   *
   * @param layers L, number of blocks
   * @param width D
   * @param vocab V, number of token ids, mask and padding among them
   * @param labels number of classes of texts; 0 for a model that fills in only
   * @param length the longest text, in tokens
   * @param position how it knows where a token stands
   * @param mixer the token mixer of every block
   * @param ffn the channel mixer of every block
   * @param norm the normalisation
   * @param placement where blocks normalise
   * @param bias whether linear layers have a bias
   * @param dropout probability, on the embeddings and at the end of each half of a block
   * @param residual what becomes of the halves of a block before they are added
   * @param init how the weights start
   * @param projection what the linear layers of the blocks are
   */
  @AutoService(Model.Config.class)
  public record Config(
      int layers,
      int width,
      int vocab,
      int labels,
      int length,
      Position.Config position,
      TokenMixer.Config mixer,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      NormPlacement placement,
      boolean bias,
      double dropout,
      Residual residual,
      Site.Init init,
      Projection projection)
      implements Model.Config {

    /** A small encoder of bytes. */
    public Config() {
      this(
          4,
          128,
          256 + SPECIAL,
          0,
          128,
          new Learned.Config(),
          new SoftmaxAttention.Config(),
          new Mlp.Config(),
          new Norm.LayerNormConfig(),
          NormPlacement.PRE,
          true,
          0.1,
          new Residual(),
          new Site.Init(),
          new Linear.Config());
    }

    /** Checks the values. */
    public Config {
      Trunk.Plan.positive("length", length);
      if (vocab <= SPECIAL || labels < 0) {
        throw new IllegalArgumentException(
            "vocab is "
                + vocab
                + " and labels "
                + labels
                + ": expected more than "
                + SPECIAL
                + " and at least 0");
      }
      Trunk.Plan.check(
          layers,
          width,
          dropout,
          position,
          mixer,
          ffn,
          norm,
          placement,
          residual,
          init,
          projection);
    }

    @Override
    public String type() {
      return "encoder";
    }

    @Override
    public Encoder build() {
      return new Encoder(this);
    }

    /** This configuration for the tokens of a tokenizer and so many classes. */
    public Config sized(int tokens, int classes) {
      return new Config(
          layers,
          width,
          tokens + SPECIAL,
          classes,
          length,
          position,
          mixer,
          ffn,
          norm,
          placement,
          bias,
          dropout,
          residual,
          init,
          projection);
    }

    private Trunk.Plan plan() {
      return new Trunk.Plan(
          layers,
          width,
          length,
          1,
          position,
          mixer,
          ffn,
          norm,
          placement,
          bias,
          dropout,
          residual,
          init,
          projection);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<Trunk> trunk;
  private final Slot<Layer> transform;
  private final Slot<Layer> transformNorm;
  private final Slot<Layer> decoder;
  private final Parameter decoderBias;
  private final Slot<Layer> classifier;

  /** A model with freshly drawn weights. */
  public Encoder(Config config) {
    this.config = config;
    Initializer normal = Initializer.normal(config.init().deviation());
    Table table = config.projection().table(config.vocab(), config.width(), normal);
    this.embedding = child("embedding", Layer.class, table);
    this.trunk = child("trunk", Trunk.class, new Trunk(config.plan()));
    this.transform =
        child("transform", Layer.class, new Linear(config.width(), config.width(), true, normal));
    this.transformNorm =
        child("transformNorm", Layer.class, new Norm.LayerNormConfig().build(config.width()));
    this.decoder = child("decoder", Layer.class, table.output());
    this.decoderBias = parameter("decoderBias", Tensor.zeros(config.vocab()));
    this.classifier =
        config.labels() == 0
            ? null
            : child(
                "classifier",
                Layer.class,
                new Linear(config.width(), config.labels(), true, normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The id that stands for a token to be filled in. */
  public long mask() {
    return config.vocab() - 2L;
  }

  /** The id that fills short texts up. */
  public long padding() {
    return config.vocab() - 1L;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  /**
   * The final hidden states.
   *
   * @param ids int64 [B, T]
   * @param keep bool [B, T], false where a token is padding; null if there is none
   * @return [B, T, D]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor hidden(Tensor ids, Tensor keep) {
    return trunk.get().forward(embedding.get().forward(ids), keep);
  }

  /**
   * Scores of the tokens that could stand at each place.
   *
   * @param ids as {@link #hidden}'s
   * @param keep as {@link #hidden}'s
   * @return logits [B, T, V]
   */
  public Tensor fillings(Tensor ids, Tensor keep) {
    return fillings(hidden(ids, keep));
  }

  private Tensor fillings(Tensor hidden) {
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
  public Tensor fillingLoss(Tensor ids, Tensor places, Tensor targets) {
    Tensor asked = hidden(ids, null).flatten(0, 1).indexSelect(0, places);
    return Functional.crossEntropy(fillings(asked).to(DType.FLOAT32), targets, -1, 0);
  }

  /**
   * Scores of the classes of texts.
   *
   * @param ids as {@link #hidden}'s
   * @param keep as {@link #hidden}'s
   * @return logits [B, K]
   * @throws IllegalStateException if the model has no classes
   */
  public Tensor logits(Tensor ids, Tensor keep) {
    if (classifier == null) {
      throw new IllegalStateException("this encoder has no classes: it fills in only");
    }
    Tensor hidden = hidden(ids, keep);
    if (keep == null) {
      return classifier.get().forward(hidden.mean(1, false));
    }
    Tensor kept = keep.unsqueeze(2).to(hidden.dtype());
    Tensor count = kept.sum(1, false).clamp(1, Double.POSITIVE_INFINITY);
    return classifier.get().forward(hidden.mul(kept).sum(1, false).div(count));
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
