package dev.jformer.model.vision;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Block;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.model.TransformerStack;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import dev.jformer.nn.Slot;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.List;

/** The Vision Transformer (arXiv 2010.11929): an image is a sequence of patches. */
public final class VisionTransformer extends ImageClassifier {
  /** How tokens are made of pixels. */
  public enum Stem {
    /** A linear map of each patch. */
    LINEAR,
    /** Convolutions that overlap (arXiv 2106.14881). */
    CONVOLUTIONAL
  }

  /** What the class is read from. */
  public enum Pool {
    /** The mean of all tokens. */
    MEAN,
    /** A token of its own that stands before the others. */
    TOKEN
  }

  /**
   * Configuration.
   *
   * @param size height and width of the images, a multiple of the patch's
   * @param classes number of classes
   * @param patch height and width of a patch in pixels
   * @param stem how tokens are made of pixels
   * @param pool what the class is read from
   * @param layers L, number of blocks
   * @param width D
   * @param position how it knows where a patch stands in the sequence of rows
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
      int size,
      int classes,
      int patch,
      Stem stem,
      Pool pool,
      int layers,
      int width,
      Position.Config position,
      TokenMixer.Config mixer,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      NormPlacement placement,
      boolean bias,
      double dropout,
      Residual residual,
      BlockContext.Init init,
      Projection projection)
      implements ImageClassifier.Config {

    /** A small one for images of 32 x 32. */
    public Config() {
      this(
          32,
          10,
          4,
          Stem.LINEAR,
          Pool.MEAN,
          6,
          128,
          new LearnedPosition.Config(),
          new SoftmaxAttention.Config(),
          new Mlp.Config(),
          new Norm.LayerNormConfig(),
          NormPlacement.PRE,
          true,
          0,
          new Residual(),
          new BlockContext.Init(),
          new Linear.Config());
    }

    /** Checks the values. */
    public Config {
      TransformerStack.Plan.positive("size", size);
      TransformerStack.Plan.positive("classes", classes);
      TransformerStack.Plan.positive("patch", patch);
      if (size % patch != 0) {
        throw new IllegalArgumentException(
            "patch is " + patch + ": expected a divisor of the size " + size);
      }
      if (stem == Stem.CONVOLUTIONAL && (patch == 1 || Integer.bitCount(patch) != 1)) {
        throw new IllegalArgumentException(
            "patch is " + patch + ": a convolutional stem needs 2, 4, 8 or another power of two");
      }
      TransformerStack.Plan.check(
          layers,
          width,
          dropout,
          stem,
          pool,
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
      return "vit";
    }

    @Override
    public VisionTransformer build() {
      return new VisionTransformer(this);
    }

    @Override
    public Config withClasses(int other) {
      return new Config(
          size,
          other,
          patch,
          stem,
          pool,
          layers,
          width,
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

    private int rows() {
      return size / patch;
    }

    /** With a class token no mixer can take the tokens for a picture any more. */
    private TransformerStack.Plan plan() {
      int patches = rows() * rows();
      boolean token = pool == Pool.TOKEN;
      return new TransformerStack.Plan(
          layers,
          width,
          token ? patches + 1 : patches,
          token ? 1 : rows(),
          position,
          new Norm.NoNormConfig(),
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
  private final Slot<Layer> stem;
  private final Parameter token;
  private final Slot<TransformerStack> trunk;
  private final Slot<Layer> head;

  /** A model with freshly drawn weights. */
  public VisionTransformer(Config config) {
    this.config = config;
    this.stem = child("stem", Layer.class, new PatchStem(config));
    this.token =
        config.pool() == Pool.TOKEN
            ? parameter("token", Initializer.normal(0.02).create(1, 1, config.width()))
            : null;
    this.trunk = child("trunk", TransformerStack.class, new TransformerStack(config.plan()));
    this.head =
        child(
            "head",
            Layer.class,
            new Linear(config.width(), config.classes(), true, Initializer.normal(0.02)));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  @Override
  Tensor scores(Tensor images) {
    Tensor patches = stem.get().forward(images);
    if (token == null) {
      return head.get().forward(trunk.get().forward(patches, null).mean());
    }
    Tensor first = token.value().expand(patches.size(0), 1, -1).to(patches.dtype());
    Tensor all = trunk.get().forward(Tensor.cat(1, first, patches), null).x();
    return head.get().forward(all.select(1, 0));
  }
}
