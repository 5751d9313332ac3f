package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.CrossAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A residual block of a decoder (arXiv 1706.03762): tokens are mixed, take from the encoder's
 * tokens, then channels are mixed.
 */
public final class DecoderBlock extends Module {
  private final NormPlacement placement;
  private final Slot<TokenMixer> mixer;
  private final Slot<Layer> mixerNorm;
  private final Slot<CrossAttention> cross;
  private final Slot<Layer> crossNorm;
  private final Slot<ChannelMixer> ffn;
  private final Slot<Layer> ffnNorm;
  private final Slot<Layer> mixerBranch;
  private final Slot<Layer> crossBranch;
  private final Slot<Layer> ffnBranch;

  /**
   * A block.
   *
   * @param crossHeads heads of the attention to the encoder
   */
  public DecoderBlock(BlockContext site, BlockConfig config, int crossHeads, Position position) {
    Block.check(config.norm(), site);
    int width = site.width();
    this.placement = config.placement();
    this.mixer = child("mixer", TokenMixer.class, config.mixer().build(site, position));
    this.mixerNorm = child("mixerNorm", Layer.class, config.norm().build(width));
    this.cross = child("cross", CrossAttention.class, new CrossAttention(crossHeads, site));
    this.crossNorm = child("crossNorm", Layer.class, config.norm().build(width));
    this.ffn = child("ffn", ChannelMixer.class, config.ffn().build(site));
    this.ffnNorm = child("ffnNorm", Layer.class, config.norm().build(width));
    this.mixerBranch = child("mixerBranch", Layer.class, config.residual().build(site));
    this.crossBranch = child("crossBranch", Layer.class, config.residual().build(site));
    this.ffnBranch = child("ffnBranch", Layer.class, config.residual().build(site));
  }

  /**
   * Whole sequences.
   *
   * @param x [B, T, D]
   * @param memory the encoder's tokens, as {@link #read} gives them
   * @return [B, T, D]
   */
  public Tensor forward(Tensor x, CrossAttention.Memory memory) {
    Tensor mixed = part(mixerNorm, mixerBranch, x, y -> mixer.get().forward(y, null));
    return rest(mixed, y -> cross.get().forward(y, memory));
  }

  /**
   * The next token of sequences, of which several may belong to one of the encoder's: those that
   * do, K each, follow one another.
   *
   * @param x [B K, 1, D]
   * @param memory of B sequences
   * @param beams K
   */
  Tensor step(Tensor x, TokenMixer.State state, CrossAttention.Memory memory, long beams) {
    Tensor mixed = part(mixerNorm, mixerBranch, x, y -> mixer.get().step(y, state));
    // What is taken from the encoder knows no order: K sequences ask as K tokens of one would.
    return rest(
        mixed,
        y ->
            cross.get().forward(y.reshape(-1, beams, y.size(2)), memory).reshape(-1, 1, y.size(2)));
  }

  /** Keys and values of the encoder's tokens: hidden [B, S, D] and keep bool [B, S], or null. */
  public CrossAttention.Memory read(Tensor hidden, Tensor paddingMask) {
    return cross.get().read(hidden, paddingMask);
  }

  private Tensor rest(Tensor mixed, UnaryOperator<Tensor> attention) {
    Tensor taken = part(crossNorm, crossBranch, mixed, attention);
    return part(ffnNorm, ffnBranch, taken, ffn.get()::forward);
  }

  private Tensor part(
      Slot<Layer> norm, Slot<Layer> branch, Tensor x, UnaryOperator<Tensor> function) {
    boolean before = placement == NormPlacement.PRE;
    Tensor made = function.apply(before ? norm.get().forward(x) : x);
    Tensor sum = x.add(branch.get().forward(made));
    return before ? sum : norm.get().forward(sum);
  }

  /** The token mixer. */
  public TokenMixer mixer() {
    return mixer.get();
  }

  /** The attention to the encoder's tokens. */
  public CrossAttention cross() {
    return cross.get();
  }

  /** The channel mixer. */
  public ChannelMixer ffn() {
    return ffn.get();
  }
}
