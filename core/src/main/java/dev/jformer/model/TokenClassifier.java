package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Gives every token of a sequence a label; each token sees all others, as in BERT. */
public final class TokenClassifier extends Model {
  /**
   * Configuration.
   *
   * @param layers L, number of blocks
   * @param width D
   * @param vocab V, number of token ids
   * @param labels number of labels
   * @param length the longest sequence it is trained on, in tokens
   * @param position how it knows where a token stands
   * @param mixer the token mixer of every block
   * @param ffn the channel mixer of every block
   * @param norm the normalisation
   * @param placement where blocks normalise
   * @param bias whether linear layers have a bias
   * @param dropout probability, on the embeddings and at the end of each half of a block
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
      BlockContext.Init init,
      Projection projection)
      implements Model.Config {

    /** A small encoder of bytes with two labels. */
    public Config() {
      this(
          4,
          256,
          256,
          2,
          256,
          new LearnedPosition.Config(),
          new SoftmaxAttention.Config(),
          new Mlp.Config(),
          new Norm.LayerNormConfig(),
          NormPlacement.PRE,
          true,
          0,
          new BlockContext.Init(),
          new Linear.Config());
    }

    /** Checks the values. */
    public Config {
      positive("layers", layers);
      positive("width", width);
      positive("vocab", vocab);
      positive("labels", labels);
      positive("length", length);
      if (!(dropout >= 0 && dropout < 1)) {
        throw new IllegalArgumentException(
            "dropout is " + dropout + ": expected a probability in [0, 1)");
      }
      for (Object part : new Object[] {position, mixer, ffn, norm, placement, init, projection}) {
        if (part == null) {
          throw new IllegalArgumentException(
              "position, mixer, ffn, norm, placement, init and projection must not be null");
        }
      }
    }

    private static void positive(String name, int value) {
      if (value < 1) {
        throw new IllegalArgumentException(name + " is " + value + ": expected at least 1");
      }
    }

    @Override
    public String type() {
      return "token-classifier";
    }

    @Override
    public TokenClassifier build() {
      return new TokenClassifier(this);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<Position> position;
  private final Slot<Layer> dropout;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> norm;
  private final Slot<Layer> head;

  /** A model with freshly drawn weights. */
  public TokenClassifier(Config config) {
    this.config = config;
    Initializer normal = Initializer.normal(config.init().deviation());
    this.embedding =
        child("embedding", Layer.class, new Embedding(config.vocab(), config.width(), normal));
    int heads = config.mixer().heads();
    if (config.width() % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + config.width());
    }
    Position encoding =
        config.position().build(config.width(), heads, config.width() / heads, config.length());
    this.position = child("position", Position.class, encoding);
    this.dropout = child("dropout", Layer.class, new Dropout(config.dropout()));
    List<Block> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      made.add(block(layer));
    }
    this.blocks = children("blocks", Block.class, made);
    boolean last = config.placement() == NormPlacement.PRE;
    this.norm =
        child("norm", Layer.class, last ? config.norm().build(config.width()) : new Identity());
    this.head =
        child("head", Layer.class, new Linear(config.width(), config.labels(), true, normal));
  }

  private Block block(int layer) {
    BlockContext site =
        new BlockContext(
            config.width(),
            layer,
            config.layers(),
            config.length(),
            false,
            config.bias(),
            config.dropout(),
            config.init(),
            config.projection());
    return Block.of(
        site, config.placement(), config.norm(), config.mixer(), config.ffn(), position.get());
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /**
   * Scores of the labels of each token.
   *
   * @param ids int64 [B, T]
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; null if
   *     there is none
   * @return logits [B, T, labels]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public Tensor logits(Tensor ids, Tensor paddingMask) {
    long length = ids.size(1);
    if (length > config.length() && !position.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of "
              + length
              + " tokens is longer than the model's length "
              + config.length());
    }
    Tensor x = position.get().embed(embedding.get().forward(ids), 0);
    x = dropout.get().forward(x);
    try (Position.Pass pass = position.get().pass();
        SequenceContext tokens = SequenceContext.open(ids, paddingMask)) {
      for (Slot<Block> block : blocks) {
        x = block.get().forward(x, paddingMask);
      }
    }
    return head.get().forward(norm.get().forward(x));
  }

  /**
   * Mean cross-entropy of the labels in nats.
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
