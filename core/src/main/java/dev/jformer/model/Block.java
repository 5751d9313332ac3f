package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.mixer.reduction.TokenReducingAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * A residual block: tokens are mixed, then channels. What leaves the two halves passes the layers
 * {@code mixed} and {@code output}, which do nothing and can be exchanged to look at it or change
 * it.
 */
public final class Block extends Module {
  private final NormPlacement placement;
  private final Slot<Layer> mixerNorm;
  private final Slot<TokenMixer> mixer;
  private final Slot<Layer> ffnNorm;
  private final Slot<ChannelMixer> ffn;
  private final Slot<Layer> mixerBranch;
  private final Slot<Layer> ffnBranch;
  private final Slot<Layer> mixed;
  private final Slot<Layer> output;

  private Block(
      NormPlacement placement,
      Layer mixerNorm,
      TokenMixer mixer,
      Layer ffnNorm,
      ChannelMixer ffn,
      Layer mixerBranch,
      Layer ffnBranch) {
    this.placement = placement;
    this.mixerNorm = child("mixerNorm", Layer.class, mixerNorm);
    this.mixer = child("mixer", TokenMixer.class, mixer);
    this.ffnNorm = child("ffnNorm", Layer.class, ffnNorm);
    this.ffn = child("ffn", ChannelMixer.class, ffn);
    this.mixerBranch = child("mixerBranch", Layer.class, mixerBranch);
    this.ffnBranch = child("ffnBranch", Layer.class, ffnBranch);
    this.mixed = child("mixed", Layer.class, new Identity());
    this.output = child("output", Layer.class, new Identity());
  }

  /** A block of these parts, at a place in a model. */
  public static Block of(BlockContext site, BlockConfig config, Position position) {
    check(config.norm(), site);
    return new Block(
        config.placement(),
        config.norm().build(site.width()),
        config.mixer().build(site, position),
        config.norm().build(site.width()),
        config.ffn().build(site),
        config.residual().build(site),
        config.residual().build(site));
  }

  /** Refuses a normalisation that would let tokens see later ones where they must not. */
  static void check(Norm.Config norm, BlockContext site) {
    if (site.causal() && norm.mixesTokens()) {
      throw new IllegalArgumentException(
          "the normalisation "
              + norm.type()
              + " looks at all tokens: where tokens see earlier ones only, choose another");
    }
  }

  /** Whole sequences: x [B, T, D] and keep as in {@link TokenMixer#forward}. */
  public Tensor forward(Tensor x, Tensor paddingMask) {
    return channels(tokens(x, mixer.get().forward(mixerInput(x), paddingMask)));
  }

  /**
   * Whole sequences of which tokens may leave between the two halves, if the mixer is one that lets
   * them go.
   */
  TokenBatch forward(TokenBatch tokens) {
    if (!(mixer.get() instanceof TokenReducingAttention attention)) {
      return new TokenBatch(
          forward(tokens.x(), tokens.paddingMask()), tokens.paddingMask(), tokens.sizes());
    }
    TokenReducingAttention.Thinned thinned = attention.thin(mixerInput(tokens.x()), tokens);
    TokenBatch left = thinned.join(tokens.x(), this::tokens);
    return new TokenBatch(channels(left.x()), left.paddingMask(), left.sizes());
  }

  /** What the token mixer is given when this block is given x [B, T, D]. */
  Tensor mixerInput(Tensor x) {
    return placement == NormPlacement.PRE ? mixerNorm.get().forward(x) : x;
  }

  /** The next tokens of sequences: x [B, T, D] and state as in {@link TokenMixer#step}. */
  Tensor step(Tensor x, TokenMixer.State state) {
    return channels(tokens(x, mixer.get().step(mixerInput(x), state)));
  }

  private Tensor tokens(Tensor x, Tensor mixture) {
    Tensor sum = x.add(mixerBranch.get().forward(mixture));
    return mixed.get().forward(placement == NormPlacement.PRE ? sum : mixerNorm.get().forward(sum));
  }

  private Tensor channels(Tensor x) {
    boolean before = placement == NormPlacement.PRE;
    Tensor mixture = ffn.get().forward(before ? ffnNorm.get().forward(x) : x);
    Tensor sum = x.add(ffnBranch.get().forward(mixture));
    return output.get().forward(before ? sum : ffnNorm.get().forward(sum));
  }

  /** The token mixer. */
  public TokenMixer mixer() {
    return mixer.get();
  }

  /** The channel mixer. */
  public ChannelMixer ffn() {
    return ffn.get();
  }
}
