package dev.jformer.model.inpaint;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.model.Block;
import dev.jformer.model.HasStack;
import dev.jformer.model.Model;
import dev.jformer.model.StackConfig;
import dev.jformer.model.TransformerStack;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.Patches;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;

/**
 * PUT, which fills in hidden parts of images in several ways (<a
 * href="https://arxiv.org/abs/2205.05076">Reduce Information Loss in Transformers for Pluralistic
 * Image Inpainting</a>). It has two parts, learned one after the other: a {@link PatchVqVae}, whose
 * codes stand for patches, and a Transformer without a direction (UQ-Transformer) that predicts the
 * codes of hidden patches. The Transformer reads the features of patches before they are rounded to
 * codes, so nothing of the visible pixels is lost; in training, a share of the features of visible
 * patches is rounded, because patches that are filled in come as codes. Its targets are the codes
 * of the whole image, those of visible patches only; its loss is the mean over patches with hidden
 * pixels. {@link PatchSampler} fills in patch after patch.
 *
 * <p>Places of patches are fixed sines and cosines of row and column, where the paper learns them;
 * so images may be smaller than those of training, and need not be square.
 */
public final class Put extends Model {
  private static final int MOST_PATCH = 64;

  /** What the Transformer reads of visible patches. */
  public enum Input {
    /** Their features. */
    UNQUANTIZED,
    /** The codes next to their features, as a Transformer on codes alone does. */
    QUANTIZED,
    /** The features of their mean colours, as of an image scaled down to a pixel for each patch. */
    DOWNSAMPLED
  }

  /**
   * Configuration; the defaults are a small model for colour images of 32 x 32.
   *
   * @param size height and width of the images of training, a multiple of the patch's
   * @param channels 3 for colours, 1 for grey
   * @param patch height and width of a patch in pixels, a power of two
   * @param codec the auto-encoder
   * @param input what the Transformer reads of visible patches
   * @param rounded share of the features of visible patches that are rounded to codes in training
   * @param framing how pictures become squares of this size
   * @param stack the blocks of the Transformer; the width is a multiple of 4
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int size,
      int channels,
      int patch,
      Codec codec,
      Input input,
      double rounded,
      Framing framing,
      @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, PutConfigBuilder.With {
    /** Defaults. */
    public Config() {
      this(
          32,
          3,
          4,
          new Codec(),
          Input.UNQUANTIZED,
          0.3,
          new Framing(),
          new StackConfig().with(s -> s.layers(4).width(128).position(new NoPosition.Config())));
    }

    /** Checks the values. */
    public Config {
      Checks.between("size", size, 1, 1 << 12);
      Checks.check(channels == 1 || channels == 3, "channels", channels, "1 for grey, or 3");
      Checks.check(
          patch >= 1 && patch <= MOST_PATCH && Integer.bitCount(patch) == 1,
          "patch",
          patch,
          "a power of two, at most " + MOST_PATCH);
      Checks.check(size % patch == 0, "patch", patch, "a divisor of the size " + size);
      Checks.notNull("codec", codec);
      Checks.notNull("input", input);
      Checks.check(rounded >= 0 && rounded <= 1, "rounded", rounded, "a share from 0 to 1");
      Checks.notNull("framing", framing);
      Checks.notNull("stack", stack);
      Checks.check(
          stack.width() % 4 == 0,
          "width",
          stack.width(),
          "a multiple of 4, for sines and cosines of places");
      Checks.check(
          framing.side() == 0 || framing.side() >= size,
          "framing.side",
          framing.side(),
          "0, or at least the size " + size);
    }

    @Override
    public String type() {
      return "put";
    }

    @Override
    public Config withStack(StackConfig stack) {
      return PutConfigBuilder.With.super.withStack(stack);
    }

    private TransformerStack<Block> blocks() {
      int rows = size / patch;
      return TransformerStack.of(stack, new TransformerStack.Setting(rows * rows).withRows(rows));
    }

    @Override
    public Put build() {
      return new Put(this);
    }
  }

  private final Config config;
  private final Slot<PatchVqVae> codec;
  private final Slot<Layer> stem;
  private final Slot<TransformerStack<Block>> trunk;
  private final Slot<Layer> head;
  private Patches placed;
  private Tensor places;

  /** Creates a model with random weights. */
  public Put(Config config) {
    this.config = config;
    Codec codes = config.codec();
    this.codec =
        child(
            "codec",
            PatchVqVae.class,
            new PatchVqVae(config.patch(), config.channels(), config.codec()));
    this.stem = child("stem", Layer.class, linear(codes.codeWidth(), config.width()));
    this.trunk = child("trunk", TransformerStack.class, config.blocks());
    this.head = child("head", Layer.class, linear(config.width(), codes.codes()));
  }

  private static Layer linear(int in, int out) {
    return new Linear(in, out, true, Initializer.normal(0.02));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The auto-encoder. */
  public PatchVqVae codec() {
    return codec.get();
  }

  /** The blocks of the Transformer, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  /**
   * Checks that images can be filled in.
   *
   * @throws IllegalArgumentException if they have other channels, or sides that are no multiples of
   *     the patch or larger than in training
   */
  public void check(long channels, long height, long width) {
    int patch = config.patch();
    if (channels != config.channels()
        || height % patch != 0
        || width % patch != 0
        || Math.min(height, width) < patch
        || Math.max(height, width) > config.size()) {
      throw new IllegalArgumentException(
          "images have "
              + channels
              + (channels == 1 ? " channel" : " channels")
              + " of "
              + width
              + " x "
              + height
              + " pixels: expected "
              + config.channels()
              + ", and sides that are multiples of "
              + patch
              + " and at most "
              + config.size()
              + ", as in training");
    }
  }

  private void check(Tensor images, Tensor visible) {
    if (images.rank() != 4) {
      throw new IllegalArgumentException(
          "images are " + images.shape() + ": expected [B, C, H, W]");
    }
    check(images.size(1), images.size(2), images.size(3));
    if (visible.rank() != 4
        || visible.size(0) != images.size(0)
        || visible.size(1) != 1
        || visible.size(2) != images.size(2)
        || visible.size(3) != images.size(3)) {
      throw new IllegalArgumentException(
          "the mask is "
              + visible.shape()
              + " for images of "
              + images.shape()
              + ": expected [B, 1, H, W]");
    }
  }

  /**
   * Computes the loss of the auto-encoder; see {@link PatchVqVae}. In training it moves the codes.
   *
   * @param images [B, C, H, W], -1 to 1
   * @param erased bool [B, 1, H, W], the pixels that there are
   * @param visible bool [B, 1, H, W], the pixels that the reference branch sees
   * @return a scalar
   */
  public Tensor codecLoss(Tensor images, Tensor erased, Tensor visible) {
    check(images, visible);
    check(images, erased);
    return codec.get().loss(images, erased, visible);
  }

  /**
   * What the Transformer reads.
   *
   * @param images [B, C, H, W], -1 to 1, of which hidden pixels are not looked at
   * @param visible bool [B, 1, H, W]
   * @return [B, T, E], without a gradient
   */
  public Tensor inputs(Tensor images, Tensor visible) {
    check(images, visible);
    try (Mode noGrad = Autograd.noGrad()) {
      PatchVqVae vae = codec.get();
      Tensor shown = PatchVqVae.shown(images, visible);
      return switch (config.input()) {
        case UNQUANTIZED -> vae.features(shown, null);
        case QUANTIZED ->
            vae.codebook().lookUp(vae.codes(vae.features(shown, null), vae.masked(visible)));
        case DOWNSAMPLED -> vae.features(means(shown), null);
      };
    }
  }

  /** Images whose patches have the mean colour of their pixels. */
  private Tensor means(Tensor images) {
    long side = config.patch();
    long rows = images.size(2) / side;
    long columns = images.size(3) / side;
    Tensor small =
        images.unflatten(2, rows, side).mean(3, false).unflatten(3, columns, side).mean(4, false);
    return small.repeatInterleave(side, 2).repeatInterleave(side, 3);
  }

  /** What the Transformer reads in training: some features of visible patches are rounded. */
  Tensor learned(Tensor images, Tensor visible, Tensor masked) {
    Tensor inputs = inputs(images, visible);
    if (!isTraining() || config.rounded() == 0 || config.input() == Input.QUANTIZED) {
      return inputs;
    }
    try (Mode noGrad = Autograd.noGrad()) {
      PatchVqVae vae = codec.get();
      Tensor drawn = Tensor.rand(inputs.size(0), inputs.size(1)).lt(config.rounded());
      Tensor codes = vae.codes(vae.features(images, visible), masked);
      Tensor chosen = drawn.and(masked.not()).unsqueeze(2);
      return vae.codebook().lookUp(codes).where(chosen, inputs);
    }
  }

  /**
   * Predicts the codes of patches.
   *
   * @param inputs [B, T, E], as {@link #inputs} gives them
   * @param rows number of rows of patches
   * @return logits [B, T, K]
   */
  public Tensor logits(Tensor inputs, int rows) {
    Tensor embedded = stem.get().forward(inputs);
    Patches patches = new Patches(rows, (int) (inputs.size(1) / rows), 1, config.channels());
    Tensor x = embedded.add(places(patches).to(embedded.dtype()));
    return head.get().forward(trunk.get().forward(x, null, null));
  }

  private Tensor places(Patches patches) {
    if (!patches.equals(placed)) {
      forget();
      places = patches.positions(config.width()).keep();
      placed = patches;
    }
    return places;
  }

  /**
   * The codes that are to be predicted: those of visible patches that are nearest to the features
   * of the whole images.
   *
   * @param images [B, C, H, W]
   * @return int64 [B, T]
   */
  public Tensor targets(Tensor images) {
    try (Mode noGrad = Autograd.noGrad()) {
      return codec.get().codes(codec.get().features(images, null), null);
    }
  }

  /**
   * A prediction of hidden patches.
   *
   * @param logits [N, K], of all patches of all images
   * @param targets int64 [N]; -1 for visible patches
   */
  public record Prediction(Tensor logits, Tensor targets) {
    /** The mean loss of hidden patches, in nats; reports how many there are. */
    public Tensor loss() {
      long count = hidden();
      AuxiliaryLosses.predictions(Math.max(1, count));
      return count == 0
          ? logits.sum().mul(0.0)
          : Functional.crossEntropy(logits.to(DType.FLOAT32), targets, -1, 0);
    }

    /** The number of hidden patches. */
    public long hidden() {
      return (long) targets.ge(0L).to(DType.INT64).sum().item();
    }

    /** The number of hidden patches whose code has the largest logit. */
    public long right() {
      return (long) logits.argmax(1).eq(targets).to(DType.INT64).sum().item();
    }
  }

  /**
   * Predicts all hidden patches at once.
   *
   * @param images [B, C, H, W], whole, -1 to 1
   * @param visible bool [B, 1, H, W]
   */
  public Prediction predict(Tensor images, Tensor visible) {
    check(images, visible);
    Tensor masked = codec.get().masked(visible);
    Tensor targets = targets(images).maskedFill(masked.not(), -1);
    Tensor inputs = learned(images, visible, masked);
    int rows = (int) images.size(2) / config.patch();
    return new Prediction(logits(inputs, rows).flatten(0, 1), targets.flatten(0, 1));
  }

  /**
   * The number of passes that filling in an image takes: that of its patches with hidden pixels.
   */
  public long passes(Tensor visible) {
    return (long) codec.get().masked(visible).to(DType.INT64).sum(1, false).max().item();
  }

  /**
   * Fills in hidden pixels; visible ones stay as they are, to the bit.
   *
   * @param images [B, C, H, W], -1 to 1, of which hidden pixels are not looked at
   * @param visible bool [B, 1, H, W]
   * @param draws random numbers for each image
   * @param progress called with the number of {@link #passes} that are done
   * @return [B, C, H, W]
   */
  public Tensor fill(
      Tensor images,
      Tensor visible,
      PatchSampler sampler,
      List<? extends RandomGenerator> draws,
      LongConsumer progress) {
    check(images, visible);
    try (Mode noGrad = Autograd.noGrad()) {
      PatchVqVae vae = codec.get();
      Tensor masked = vae.masked(visible);
      Tensor inputs = inputs(images, visible);
      int rows = (int) images.size(2) / config.patch();
      PatchSampler.Filled filled =
          sampler.fill(
              features -> logits(features, rows),
              inputs,
              rows(masked),
              vae.codebook().vectors(),
              draws,
              progress);
      Tensor own = vae.codes(vae.features(images, visible), masked);
      int[] numbers = filled.codes().stream().flatMapToInt(java.util.Arrays::stream).toArray();
      Tensor chosen = Tensor.of(numbers, masked.shape().toArray()).to(DType.INT64);
      Tensor codes = chosen.where(masked, own);
      Tensor drawn = vae.draw(vae.codebook().lookUp(codes), images, visible);
      return images.where(visible, drawn.to(images.dtype()));
    }
  }

  private static List<boolean[]> rows(Tensor masked) {
    List<boolean[]> rows = new ArrayList<>();
    for (long i = 0; i < masked.size(0); i++) {
      long[] bits = masked.select(0, i).to(DType.INT64).contiguous().toLongs();
      boolean[] row = new boolean[bits.length];
      for (int t = 0; t < row.length; t++) {
        row[t] = bits[t] != 0;
      }
      rows.add(row);
    }
    return rows;
  }

  @Override
  public long derivedBytes() {
    return places == null ? 0 : places.elements() * places.dtype().bytes();
  }

  @Override
  protected void forget() {
    if (places != null) {
      places.close();
      places = null;
      placed = null;
    }
  }

  @Override
  protected String details() {
    return String.format(
        Locale.ROOT,
        "images of %d x %d in patches of %d, %d + %d codes, %d layers, width %d",
        config.size(),
        config.size(),
        config.patch(),
        config.codec().codes(),
        config.codec().hiddenCodes(),
        config.layers(),
        config.width());
  }
}
