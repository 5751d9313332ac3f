package dev.jformer.model.vision;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.model.Block;
import dev.jformer.model.HasStack;
import dev.jformer.model.Model;
import dev.jformer.model.StackConfig;
import dev.jformer.model.TransformerStack;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * The Vision Transformer of <a href="https://arxiv.org/abs/2010.11929">An Image is Worth 16x16
 * Words: Transformers for Image Recognition at Scale</a>: an image is a sequence of patches.
 */
public final class VisionTransformer extends ImageModel {
  /** The layer that makes tokens from pixels. */
  public enum Stem {
    /** A linear map of each patch. */
    LINEAR,
    /**
     * Overlapping convolutions (<a href="https://arxiv.org/abs/2106.14881">Early Convolutions Help
     * Transformers See Better</a>).
     */
    CONVOLUTIONAL
  }

  /** The input of the classifier's output layer. */
  public enum Pool {
    /** The mean of all tokens. */
    MEAN,
    /** A class token before the others. */
    TOKEN
  }

  /**
   * What a model has of the distillation token of DeiT (<a
   * href="https://arxiv.org/abs/2012.12877">Training data-efficient image transformers &amp;
   * distillation through attention</a>), which stands after the class token.
   */
  public enum Distillation {
    /** There is none. */
    NONE,
    /** The token, which other tokens see, but no classifier reads. */
    TOKEN,
    /** The token and an output layer of its own, whose logits are averaged with the others. */
    CLASSIFIER
  }

  /**
   * Configuration; the defaults are a small model for images of 32 x 32.
   *
   * @param size height and width of the images, a multiple of the patch's
   * @param classes number of classes
   * @param patch height and width of a patch in pixels
   * @param stem the layer that makes tokens from pixels
   * @param pool the input of the output layer
   * @param distillation what there is of a distillation token; it needs a class token
   * @param framing how pictures become squares of this size
   * @param stack the blocks; patches are numbered row by row
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int size,
      int classes,
      int patch,
      Stem stem,
      Pool pool,
      Distillation distillation,
      Framing framing,
      @Flat StackConfig stack)
      implements ImageModel.Config, HasStack<Config>, VisionTransformerConfigBuilder.With {

    /** Defaults: a small model for images of 32 x 32. */
    public Config() {
      this(
          32,
          10,
          4,
          Stem.LINEAR,
          Pool.MEAN,
          Distillation.NONE,
          new Framing(),
          new StackConfig().with(s -> s.layers(6).width(128)));
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("size", size, 1);
      Checks.atLeast("classes", classes, 1);
      Checks.atLeast("patch", patch, 1);
      Checks.notNull("stem", stem);
      Checks.notNull("pool", pool);
      Checks.notNull("distillation", distillation);
      Checks.notNull("framing", framing);
      Checks.check(
          framing.side() == 0 || framing.side() >= size,
          "framing.side",
          framing.side(),
          "0, or at least the size " + size);
      Checks.check(
          distillation == Distillation.NONE || pool == Pool.TOKEN,
          "distillation",
          distillation,
          "NONE, or a class token (pool TOKEN) besides");
      if (size % patch != 0) {
        throw new IllegalArgumentException(
            "patch is " + patch + ": expected a divisor of the size " + size);
      }
      if (stem == Stem.CONVOLUTIONAL && (patch == 1 || Integer.bitCount(patch) != 1)) {
        throw new IllegalArgumentException(
            "patch is "
                + patch
                + ": expected a power of two, at least 2, for a convolutional stem");
      }
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
    public Config withClasses(int classes) {
      return VisionTransformerConfigBuilder.With.super.withClasses(classes);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return VisionTransformerConfigBuilder.With.super.withStack(stack);
    }

    /** Builds the blocks; with a class token the tokens no longer form a picture for mixers. */
    private TransformerStack<Block> blocks() {
      int rows = size / patch;
      boolean token = pool == Pool.TOKEN;
      int tokens = (token ? 1 : 0) + (distillation == Distillation.NONE ? 0 : 1);
      int length = rows * rows + tokens;
      return TransformerStack.of(
          stack, new TransformerStack.Setting(length).withRows(token ? 1 : rows));
    }
  }

  private final Config config;
  private final Slot<Layer> stem;
  private final Parameter token;
  private final Parameter distillationToken;
  private final Slot<TransformerStack<Block>> trunk;
  private final Slot<Layer> head;
  private final Slot<Layer> distillationHead;

  /** Creates a model with random weights. */
  public VisionTransformer(Config config) {
    this.config = config;
    this.stem = child("stem", Layer.class, new PatchStem(config));
    this.token =
        config.pool() == Pool.TOKEN
            ? parameter("token", Initializer.normal(0.02).create(1, 1, config.width()))
            : null;
    this.distillationToken =
        config.distillation() == Distillation.NONE
            ? null
            : parameter("distillationToken", Initializer.normal(0.02).create(1, 1, config.width()));
    this.trunk = child("trunk", TransformerStack.class, config.blocks());
    this.head = child("head", Layer.class, output(config));
    this.distillationHead =
        config.distillation() == Distillation.CLASSIFIER
            ? child("distillationHead", Layer.class, output(config))
            : null;
  }

  private static Layer output(Config config) {
    return new Linear(config.width(), config.classes(), true, Initializer.normal(0.02));
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
      return head.get().forward(TransformerStack.reduce(trunk.get(), patches, null, null).mean());
    }
    Tensor first = repeated(token, patches);
    Tensor tokens =
        distillationToken == null
            ? Tensor.cat(1, first, patches)
            : Tensor.cat(1, first, repeated(distillationToken, patches), patches);
    Tensor all = TransformerStack.reduce(trunk.get(), tokens, null, null).x();
    Tensor logits = head.get().forward(all.select(1, 0));
    return distillationHead == null
        ? logits
        : logits.add(distillationHead.get().forward(all.select(1, 1))).mul(0.5);
  }

  private static Tensor repeated(Parameter token, Tensor patches) {
    return token.value().expand(patches.size(0), 1, -1).to(patches.dtype());
  }
}
