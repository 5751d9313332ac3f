package dev.jformer.model.inpaint;

import dev.jformer.model.vision.Patches;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * The patch-based auto-encoder with a dual codebook (P-VQVAE) of <a
 * href="https://arxiv.org/abs/2205.05076">Reduce Information Loss in Transformers for Pluralistic
 * Image Inpainting</a>: an encoder that sees one patch at a time, a {@link DualCodebook}, and a
 * decoder with a reference branch.
 *
 * <p>Pixels are numbers from -1 to 1; hidden ones are 0. Its loss is
 *
 * <pre>
 * |x - y| + w |Sobel(x) - Sobel(y)| + β |f - e|²
 * </pre>
 *
 * in the mean, where y is drawn from the codes e of the features f. The paper adds adversarial,
 * perceptual and style losses of large pretrained networks.
 */
public final class PatchVqVae extends Module {
  private final Codec config;
  private final int patch;
  private final int channels;
  private final Slot<PatchEncoder> encoder;
  private final Slot<DualCodebook> codebook;
  private final Slot<PatchDecoder> decoder;

  PatchVqVae(int patch, int channels, Codec config) {
    this.config = config;
    this.patch = patch;
    this.channels = channels;
    int values = Patches.ofSquares(patch, patch, channels).values();
    this.encoder = child("encoder", PatchEncoder.class, new PatchEncoder(values, config));
    this.codebook = child("codebook", DualCodebook.class, new DualCodebook(config));
    this.decoder = child("decoder", PatchDecoder.class, new PatchDecoder(patch, channels, config));
  }

  /** The codebook. */
  public DualCodebook codebook() {
    return codebook.get();
  }

  /** The patches of images of this height and width. */
  Patches patches(Tensor images) {
    return new Patches((int) images.size(2), (int) images.size(3), patch, channels);
  }

  /** Images with 0 for hidden pixels; {@code visible} is bool [B, 1, H, W], null for all. */
  static Tensor shown(Tensor images, Tensor visible) {
    return visible == null ? images : images.maskedFill(visible.not(), 0);
  }

  /**
   * Encodes patches.
   *
   * @param images [B, C, H, W]
   * @param visible bool [B, 1, H, W]; null if all pixels are visible
   * @return [B, T, E], row by row
   */
  public Tensor features(Tensor images, Tensor visible) {
    return encoder.get().forward(patches(images).cut(shown(images, visible)));
  }

  /** Whether patches have hidden pixels: bool [B, 1, H, W] to bool [B, T]. */
  public Tensor masked(Tensor visible) {
    Tensor all = PatchDecoder.allVisible(visible.to(DType.FLOAT32), patch);
    return all.flatten(1, 3).lt(0.5);
  }

  /**
   * The numbers of the codes of features.
   *
   * @param features [B, T, E]
   * @param masked bool [B, T]; null if all pixels are visible
   * @return int64 [B, T]
   */
  public Tensor codes(Tensor features, Tensor masked) {
    Tensor none = masked == null ? noneMasked(features) : masked;
    Tensor numbers = codebook.get().nearest(features.flatten(0, 1), none.flatten(0, 1));
    return numbers.view(features.size(0), features.size(1));
  }

  private static Tensor noneMasked(Tensor features) {
    return Tensor.zeros(features.size(0), features.size(1)).gt(0.5);
  }

  /**
   * Draws images from codes and what is visible of them.
   *
   * @param vectors of the codes, [B, T, E]
   * @param images [B, C, H, W], of which hidden pixels are not looked at
   * @param visible bool [B, 1, H, W]
   * @return [B, C, H, W]
   */
  public Tensor draw(Tensor vectors, Tensor images, Tensor visible) {
    Patches patches = patches(images);
    Tensor grid = vectors.transpose(1, 2).unflatten(2, patches.rows(), patches.columns());
    return decoder.get().forward(grid, shown(images, visible), visible.to(images.dtype()));
  }

  /**
   * Computes the loss, and in training moves the codebook.
   *
   * @param images [B, C, H, W]
   * @param erased bool [B, 1, H, W], the pixels that the encoder sees; the others are 0, also in
   *     what is to be drawn
   * @param visible bool [B, 1, H, W], the pixels that the reference branch sees
   * @return a scalar
   */
  Tensor loss(Tensor images, Tensor erased, Tensor visible) {
    Tensor target = shown(images, erased);
    Tensor features = features(target, null);
    Tensor masked = masked(erased);
    Tensor numbers = codes(features, masked);
    Tensor vectors = codebook.get().lookUp(numbers).detach().copy();
    if (isTraining()) {
      codebook.get().update(features.flatten(0, 1), numbers.flatten(0, 1));
    }
    Tensor through = features.add(vectors.sub(features).detach());
    Tensor drawn = draw(through, target, visible);
    Tensor loss =
        drawn
            .sub(target)
            .abs()
            .mean()
            .add(Functional.meanSquaredError(features, vectors).mul(config.commitment()));
    return config.edges() == 0
        ? loss
        : loss.add(edges(drawn.sub(target)).abs().mean().mul(config.edges()));
  }

  /** Sobel's two derivatives of images, without a border: [B, C, H, W] to [B C, 2, H', W']. */
  static Tensor edges(Tensor images) {
    if (images.size(2) < 3 || images.size(3) < 3) {
      return Tensor.zeros(1);
    }
    float[] kernels = {-1, 0, 1, -2, 0, 2, -1, 0, 1, -1, -2, -1, 0, 0, 0, 1, 2, 1};
    Tensor weight = Tensor.of(kernels, 2, 1, 3, 3).mul(0.25).to(images.dtype());
    Tensor planes = images.flatten(0, 1).unsqueeze(1);
    return Functional.conv2d(planes, weight, null, 1, 0, 1);
  }
}
