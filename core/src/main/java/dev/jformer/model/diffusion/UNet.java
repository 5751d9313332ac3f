package dev.jformer.model.diffusion;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.GroupNorm;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;

/**
 * A convolutional U-Net that predicts images of a class from noisy ones (<a
 * href="https://arxiv.org/abs/2006.11239">Denoising Diffusion Probabilistic Models</a>), with
 * normalisations that the noise level and the class scale and shift (<a
 * href="https://arxiv.org/abs/2105.05233">Diffusion Models Beat GANs on Image Synthesis</a>).
 *
 * <p>Residual blocks of two convolutions stand at several resolutions. On the way down each level
 * ends in a convolution with stride 2; on the way up each pixel becomes four, and a convolution
 * follows. Each block on the way up also reads what a block, or such a convolution, put out at its
 * resolution on the way down. Between the two ways a token mixer, attention by default, mixes the
 * pixels of the lowest resolution.
 */
public final class UNet extends DiffusionModel {
  /**
   * Configuration; the defaults are a small model for grey images of 16 x 16.
   *
   * @param size height and width of the images, which each level but the last one halves
   * @param channels 3 for colours, 1 for grey
   * @param classes K, number of classes
   * @param widths channels of each level, from the pixels down; multiples of {@code groups}
   * @param blocks residual blocks of each level on the way down; one more on the way up
   * @param conditionWidth width of the vector that tells all blocks the noise level and the class
   * @param groups groups of channels that are normalised together
   * @param headDim width of a head of attention, a divisor of the last level's channels
   * @param mixer the token mixer at the lowest resolution, one that looks both ways
   * @param classDropout share of the training images whose class is not told, for guidance
   * @param edm noise levels of training, and preconditioning
   * @param framing how pictures become squares of this size
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int size,
      int channels,
      int classes,
      List<Integer> widths,
      int blocks,
      int conditionWidth,
      int groups,
      int headDim,
      TokenMixer.Config mixer,
      double classDropout,
      Edm edm,
      Framing framing)
      implements DiffusionModel.Config, UNetConfigBuilder.With {
    private static final int MOST_LEVELS = 12;

    /** Defaults. */
    public Config() {
      this(
          16,
          1,
          10,
          List.of(32, 64, 64),
          1,
          128,
          8,
          32,
          new SoftmaxAttention.Config(),
          0.1,
          new Edm(),
          new Framing());
    }

    /** Checks the values. */
    public Config {
      DiffusionModel.Config.check(size, channels, classes, classDropout, edm, framing);
      Checks.notNull("widths", widths);
      Checks.between("the number of widths", widths.size(), 1, MOST_LEVELS);
      Checks.between("blocks", blocks, 1, 100);
      Checks.between("conditionWidth", conditionWidth, 1, 1 << 16);
      Checks.between("groups", groups, 1, 1 << 16);
      Checks.between("headDim", headDim, 1, 1 << 16);
      Checks.notNull("mixer", mixer);
      widths = List.copyOf(widths);
      for (int width : widths) {
        Checks.between("widths", width, 1, 1 << 16);
        Checks.check(
            width % groups == 0, "widths", widths, "multiples of the number of groups " + groups);
      }
      int last = widths.get(widths.size() - 1);
      Checks.check(last % headDim == 0, "headDim", headDim, "a divisor of the last width " + last);
      int halved = 1 << (widths.size() - 1);
      Checks.check(
          size % halved == 0,
          "size",
          size,
          "a multiple of "
              + halved
              + ", because "
              + widths.size()
              + " levels (widths) halve it "
              + (widths.size() - 1)
              + " times");
    }

    @Override
    public String type() {
      return "unet";
    }

    @Override
    public String noun() {
      return "a U-Net";
    }

    @Override
    public Config withClasses(int classes) {
      return UNetConfigBuilder.With.super.withClasses(classes);
    }

    @Override
    public UNet build() {
      return new UNet(this);
    }

    private int last() {
      return widths.get(widths.size() - 1);
    }

    private ConvolutionBlock block(int in, int out) {
      return new ConvolutionBlock(in, out, conditionWidth, groups);
    }

    private TokenMixer pixelMixer() {
      int side = size >> (widths.size() - 1);
      BlockContext context =
          new BlockContext(
              last(),
              0,
              1,
              side * side,
              false,
              true,
              0,
              new BlockContext.Init(),
              new Linear.Config(),
              side);
      return mixer.ofHeads(last() / headDim, headDim).build(context, new NoPosition());
    }
  }

  private final Config config;
  private final Slot<Conditioning> condition;
  private final Slot<Layer> stem;
  private final List<Slot<UNetLevel>> downBlocks;
  private final Slot<ConvolutionBlock> before;
  private final Slot<Layer> mixer;
  private final Slot<ConvolutionBlock> behind;
  private final List<Slot<UNetLevel>> upBlocks;
  private final Slot<Layer> norm;
  private final Slot<Layer> head;

  /** Creates a model with random weights, whose network puts out zeros. */
  public UNet(Config config) {
    this.config = config;
    int first = config.widths().get(0);
    int last = config.last();
    Initializer initializer = Initializer.uniformFanIn();
    this.condition =
        child(
            "condition",
            Conditioning.class,
            new Conditioning(config.classes(), config.conditionWidth()));
    this.stem =
        child(
            "stem",
            Layer.class,
            ConvolutionBlock.convolution(config.channels(), first, initializer));
    Deque<Integer> kept = new ArrayDeque<>(List.of(first));
    this.downBlocks = children("downBlocks", UNetLevel.class, down(config, kept));
    this.before = child("middleBlocks.0", ConvolutionBlock.class, config.block(last, last));
    this.mixer =
        child(
            "middleBlocks.1",
            Layer.class,
            new PixelMixer(last, config.groups(), config.pixelMixer()));
    this.behind = child("middleBlocks.2", ConvolutionBlock.class, config.block(last, last));
    this.upBlocks = children("upBlocks", UNetLevel.class, up(config, kept));
    this.norm = child("norm", Layer.class, new GroupNorm(config.groups(), first));
    this.head =
        child(
            "head",
            Layer.class,
            ConvolutionBlock.convolution(first, config.channels(), Initializer.zeros()));
  }

  /**
   * The levels on the way down.
   *
   * @param kept gets the channels of what is kept for the way up
   */
  private static List<UNetLevel> down(Config config, Deque<Integer> kept) {
    List<UNetLevel> levels = new ArrayList<>();
    int in = config.widths().get(0);
    for (int level = 0; level < config.widths().size(); level++) {
      int width = config.widths().get(level);
      List<ConvolutionBlock> blocks = new ArrayList<>();
      for (int i = 0; i < config.blocks(); i++) {
        blocks.add(config.block(in, width));
        in = width;
        kept.push(width);
      }
      Layer halving = null;
      if (level < config.widths().size() - 1) {
        halving = new Convolution2d(width, width, 3, 2, 1, Initializer.uniformFanIn());
        kept.push(width);
      }
      levels.add(new UNetLevel(blocks, "down", halving));
    }
    return levels;
  }

  private static List<UNetLevel> up(Config config, Deque<Integer> kept) {
    List<UNetLevel> levels = new ArrayList<>();
    int in = config.last();
    for (int level = config.widths().size() - 1; level >= 0; level--) {
      int width = config.widths().get(level);
      List<ConvolutionBlock> blocks = new ArrayList<>();
      for (int i = 0; i <= config.blocks(); i++) {
        blocks.add(config.block(in + kept.pop(), width));
        in = width;
      }
      Layer doubling =
          level == 0
              ? null
              : ConvolutionBlock.convolution(width, width, Initializer.uniformFanIn());
      levels.add(new UNetLevel(blocks, "up", doubling));
    }
    return levels;
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  Tensor network(Tensor scaled, Tensor level, Tensor labels) {
    Tensor c = condition.get().forward(level, labels);
    Tensor x = stem.get().forward(scaled);
    Deque<Tensor> kept = new ArrayDeque<>(List.of(x));
    for (Slot<UNetLevel> block : downBlocks) {
      x = block.get().down(x, c, kept);
    }
    x = before.get().forward(x, c);
    x = mixer.get().forward(x);
    x = behind.get().forward(x, c);
    for (Slot<UNetLevel> block : upBlocks) {
      x = block.get().up(x, c, kept);
    }
    return head.get().forward(Functional.silu(norm.get().forward(x)));
  }

  @Override
  protected String details() {
    return String.format(
        Locale.ROOT,
        "images of %d x %d, %d classes, widths %s, %d block%s each",
        config.size(),
        config.size(),
        config.classes(),
        config.widths(),
        config.blocks(),
        config.blocks() == 1 ? "" : "s");
  }
}
