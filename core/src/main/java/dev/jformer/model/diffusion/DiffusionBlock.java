package dev.jformer.model.diffusion;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A block of a Diffusion Transformer with adaLN-Zero (<a
 * href="https://arxiv.org/abs/2212.09748">Scalable Diffusion Models with Transformers</a>): the
 * normalised tokens are scaled and shifted, and what a branch adds is scaled, by vectors that a
 * linear layer makes of the condition. The layer starts at zero, so a new block is the identity.
 *
 * <pre>
 * x + g₁ · Attention(LN(x) (1 + s₁) + t₁), then x + g₂ · Mlp(LN(x) (1 + s₂) + t₂)
 * </pre>
 */
public final class DiffusionBlock extends Module {
  private static final double EPSILON = 1e-6;
  private static final int PARTS = 6;

  private final Slot<Layer> modulation;
  private final Slot<TokenMixer> mixer;
  private final Slot<ChannelMixer> ffn;

  /**
   * Creates a block.
   *
   * @param condition width of the condition
   * @param width D
   */
  DiffusionBlock(int condition, int width, TokenMixer mixer, ChannelMixer ffn) {
    Layer zero = new Linear(condition, (long) PARTS * width, true, Initializer.zeros());
    this.modulation = child("modulation", Layer.class, zero);
    this.mixer = child("mixer", TokenMixer.class, mixer);
    this.ffn = child("ffn", ChannelMixer.class, ffn);
  }

  /**
   * Applies the block.
   *
   * @param x tokens, [B, T, D]
   * @param condition [B, W]
   * @return [B, T, D]
   */
  Tensor forward(Tensor x, Tensor condition) {
    List<Tensor> m = modulation.get().forward(condition).unsqueeze(1).chunk(PARTS, 2);
    Tensor mixed = mixer.get().forward(modulated(x, m.get(0), m.get(1)), null);
    Tensor now = added(x, m.get(2), mixed);
    return added(now, m.get(5), ffn.get().forward(modulated(now, m.get(3), m.get(4))));
  }

  /** Normalised tokens, shifted and scaled. */
  static Tensor modulated(Tensor x, Tensor shift, Tensor scale) {
    return shift.addProduct(Functional.layerNorm(x, null, null, EPSILON), scale.add(1.0));
  }

  private static Tensor added(Tensor x, Tensor gate, Tensor branch) {
    return x.addProduct(gate, branch);
  }

  /** The channel mixer. */
  public ChannelMixer ffn() {
    return ffn.get();
  }
}
