package dev.jformer.model.vision;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.mixer.Pooling;
import dev.jformer.model.Block;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.HasBlocks;
import dev.jformer.model.HiddenStates;
import dev.jformer.model.Model;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Recomputation;
import dev.jformer.nn.Residual;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * An image classifier in stages of blocks with any token mixer, of <a
 * href="https://arxiv.org/abs/2111.11418">MetaFormer Is Actually What You Need for Vision</a>. Each
 * stage begins with a convolution over overlapping patches, after which tokens are fewer and wider.
 * A block computes {@code y = x + mixer(norm(x))} and {@code z = y + ffn(norm(y))}. With {@link
 * Pooling} as the mixer it is PoolFormer; the defaults are PoolFormer-S12 for 1,000 classes.
 *
 * <p>Tokens are rows of a matrix here, [B, H W, C], where the authors store channels in planes; the
 * result is the same and the perceptrons are plain matrix products.
 */
public final class MetaFormer extends ImageModel {
  /**
   * Configuration of the convolution that makes tokens from pixels or from finer tokens.
   *
   * @param kernel its height and width
   * @param stride its step
   * @param padding width of the zeros around the input
   */
  public record Patch(int kernel, int stride, int padding) {
    /** Defaults, the authors' between stages. */
    public Patch() {
      this(3, 2, 1);
    }

    /** Checks the values. */
    public Patch {
      Checks.atLeast("kernel", kernel, 1);
      Checks.atLeast("stride", stride, 1);
      if (padding < 0 || padding >= kernel) {
        throw new IllegalArgumentException(
            "padding is " + padding + ": expected 0 to " + (kernel - 1));
      }
    }

    int of(int size) {
      return (size + 2 * padding - kernel) / stride + 1;
    }
  }

  /**
   * Configuration; the defaults are PoolFormer-S12's.
   *
   * @param size height and width of the images
   * @param classes number of classes
   * @param depths number of blocks of each stage
   * @param widths width of each stage
   * @param first the convolution before the first stage
   * @param next the convolution before each other stage
   * @param block the parts of each block
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int size,
      int classes,
      List<Integer> depths,
      List<Integer> widths,
      Patch first,
      Patch next,
      @Flat BlockConfig block)
      implements ImageModel.Config, HasBlocks<Config>, MetaFormerConfigBuilder.With {

    /** Defaults: PoolFormer-S12. */
    public Config() {
      this(
          224,
          1000,
          List.of(2, 2, 6, 2),
          List.of(64, 128, 320, 512),
          new Patch(7, 4, 2),
          new Patch(),
          new BlockConfig()
              .with(
                  b ->
                      b.mixer(new Pooling.Config())
                          .norm(new Norm.GroupNormConfig())
                          .residual(new Residual(1e-5, 0.1))
                          .init(new BlockContext.Init(0.02, false))));
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("size", size, 1);
      Checks.atLeast("classes", classes, 1);
      Checks.notNull("first", first);
      Checks.notNull("next", next);
      if (depths.isEmpty() || depths.size() != widths.size()) {
        throw new IllegalArgumentException(
            "there are "
                + depths.size()
                + " depths and "
                + widths.size()
                + " widths: expected one of each for every stage");
      }
      int side = size;
      for (int i = 0; i < depths.size(); i++) {
        Checks.atLeast("depths[" + i + "]", depths.get(i), 1);
        Checks.atLeast("widths[" + i + "]", widths.get(i), 1);
        side = (i == 0 ? first : next).of(side);
        if (side < 1) {
          throw new IllegalArgumentException(
              "images of " + size + " pixels leave no tokens for stage " + (i + 1));
        }
      }
    }

    @Override
    public String type() {
      return "metaformer";
    }

    @Override
    public MetaFormer build() {
      return new MetaFormer(this);
    }

    @Override
    public Config withClasses(int classes) {
      return MetaFormerConfigBuilder.With.super.withClasses(classes);
    }

    @Override
    public Config withBlock(BlockConfig block) {
      return MetaFormerConfigBuilder.With.super.withBlock(block);
    }
  }

  private final Config config;
  private final List<Slot<Layer>> patches;
  private final List<List<Slot<Block>>> stages;
  private final Slot<Layer> norm;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public MetaFormer(Config config) {
    this.config = config;
    int total = config.depths().stream().mapToInt(Integer::intValue).sum();
    List<Layer> embeddings = new ArrayList<>();
    List<List<Block>> all = new ArrayList<>();
    int side = config.size();
    int in = CHANNELS;
    int layer = 0;
    for (int stage = 0; stage < config.depths().size(); stage++) {
      Patch patch = stage == 0 ? config.first() : config.next();
      int width = config.widths().get(stage);
      embeddings.add(
          new Convolution2d(
              in,
              width,
              patch.kernel(),
              patch.stride(),
              patch.padding(),
              Initializer.uniformFanIn()));
      side = patch.of(side);
      in = width;
      List<Block> blocks = new ArrayList<>();
      for (int i = 0; i < config.depths().get(stage); i++) {
        blocks.add(block(width, layer++, total, side));
      }
      all.add(blocks);
    }
    this.patches = children("patches", Layer.class, embeddings);
    List<List<Slot<Block>>> slots = new ArrayList<>();
    for (int stage = 0; stage < all.size(); stage++) {
      slots.add(children("stages." + stage, Block.class, all.get(stage)));
    }
    this.stages = List.copyOf(slots);
    this.norm = child("norm", Layer.class, config.norm().build(in));
    this.head =
        child(
            "head",
            Layer.class,
            new Linear(in, config.classes(), true, Initializer.normal(config.init().deviation())));
  }

  private Block block(int width, int layer, int layers, int side) {
    BlockContext context = config.block().context(width, layer, layers, side * side, false, side);
    int heads = config.mixer().heads();
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + width);
    }
    Position none = new NoPosition.Config().build(width, heads, width / heads, side * side);
    return Block.of(context, config.block(), none);
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks of all stages, first to last. */
  public List<Block> blocks() {
    return stages.stream().flatMap(List::stream).map(Slot::get).toList();
  }

  @Override
  Tensor scores(Tensor images) {
    HiddenStates.begin(null);
    Tensor planes = images;
    Tensor tokens = null;
    for (int stage = 0; stage < stages.size(); stage++) {
      planes = patches.get(stage).get().forward(planes);
      long side = planes.size(2);
      tokens = planes.flatten(2, 3).transpose(1, 2).contiguous();
      for (Slot<Block> block : stages.get(stage)) {
        Block each = block.get();
        tokens =
            Recomputation.isOn()
                ? Recomputation.of(each, List.of(), tokens, x -> each.forward(x, null))
                : each.forward(tokens, null);
        HiddenStates.add(tokens);
      }
      planes = tokens.transpose(1, 2).unflatten(2, side, side);
    }
    return head.get().forward(norm.get().forward(tokens).mean(1, false));
  }
}
