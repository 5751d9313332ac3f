package dev.jformer.model.diffusion;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.GroupNorm;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/** A token mixer on the pixels of feature maps: {@code x + Mixer(GN(x))}, [B, C, H, W]. */
final class PixelMixer extends Layer {
  private final Slot<Layer> norm;
  private final Slot<TokenMixer> mixer;

  PixelMixer(int channels, int groups, TokenMixer mixer) {
    this.norm = child("norm", Layer.class, new GroupNorm(groups, channels));
    this.mixer = child("mixer", TokenMixer.class, mixer);
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor tokens = norm.get().forward(x).flatten(2, 3).transpose(1, 2).contiguous();
    Tensor mixed = mixer.get().forward(tokens, null);
    return x.add(mixed.transpose(1, 2).unflatten(2, x.size(2), x.size(3)));
  }
}
