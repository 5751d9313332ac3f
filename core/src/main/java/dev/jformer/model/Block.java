package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.reduction.ReducedTokens;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.mixer.reduction.TokenReducingMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Packing;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.Position;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A residual block: a token mixer, then a channel mixer. The outputs of the two halves pass the
 * layers {@code mixed} and {@code output}, which are identities and can be replaced to observe or
 * change the outputs.
 */
public final class Block extends ResidualBlock {
  private final NormPlacement placement;
  private final int width;
  private final Sublayer tokens;
  private final Sublayer channels;
  private final Slot<TokenMixer> mixer;
  private final Slot<ChannelMixer> ffn;
  private final Slot<Layer> mixed;
  private final Slot<Layer> output;

  private Block(BlockContext context, BlockConfig config, Position position) {
    this.placement = config.placement();
    this.width = context.width();
    Slot<Layer> tokenNorm = child("mixerNorm", Layer.class, config.mixerNorm(context));
    this.mixer = child("mixer", TokenMixer.class, config.mixer().build(context, position));
    Slot<Layer> channelNorm = child("ffnNorm", Layer.class, config.norm().build(width));
    this.ffn = child("ffn", ChannelMixer.class, config.ffn().build(context));
    this.tokens = sublayer("mixer", tokenNorm, context, config);
    this.channels = sublayer("ffn", channelNorm, context, config);
    this.mixed = child("mixed", Layer.class, new Identity());
    this.output = child("output", Layer.class, new Identity());
  }

  /** Builds a block from a configuration of its parts. */
  public static Block of(BlockContext context, BlockConfig config, Position position) {
    check(config.norm(), context);
    return new Block(context, config, position);
  }

  private Sublayer sublayer(
      String part, Slot<Layer> norm, BlockContext context, BlockConfig config) {
    Layer outputNorm = Sublayer.outputNorm(config, context.width());
    return new Sublayer(
        placement,
        norm,
        child(part + "OutputNorm", Layer.class, outputNorm),
        child(part + "Branch", Layer.class, config.residual().build(context)));
  }

  /** Checks that the normalisation of a causal model does not mix tokens. */
  static void check(Norm.Config norm, BlockContext context) {
    if (context.causal() && norm.mixesTokens()) {
      throw new IllegalArgumentException(
          "the normalisation "
              + norm.type()
              + " mixes all tokens, which a causal model does not allow: choose another");
    }
  }

  /**
   * Transforms whole sequences: x [B, T, D] and the padding mask as in {@link TokenMixer#forward}.
   * Nothing outlives the call but the result and what its gradient needs.
   */
  public Tensor forward(Tensor x, Tensor paddingMask) {
    return Scope.tidy(() -> transform(x, paddingMask));
  }

  private Tensor transform(Tensor x, Tensor paddingMask) {
    Packing packing = SequenceContext.packing();
    Tensor read = tokens.input(x);
    Tensor mixture =
        packing == null
            ? mixer.get().forward(read, paddingMask)
            : mixer.get().forwardPacked(read, packing);
    return mixChannels(x, addMixture(x, mixture));
  }

  @Override
  Tensor forward(Tensor x, Tensor paddingMask, EncodedSource source) {
    return forward(x, paddingMask);
  }

  @Override
  Tensor forwardAt(Tensor x, TokenSubset subset) {
    return Scope.tidy(() -> transformAt(x, subset));
  }

  private Tensor transformAt(Tensor x, TokenSubset subset) {
    Tensor mixture = mixer.get().forwardAt(tokens.input(x), subset);
    Tensor before = subset.of(x, 1);
    return mixChannels(before, addMixture(before, mixture));
  }

  /** Transforms whole sequences, which have fewer tokens afterwards if the mixer reduces them. */
  TokenBatch reduce(TokenBatch batch) {
    if (!(mixer.get() instanceof TokenReducingMixer reducing)) {
      Tensor x = forward(batch.x(), batch.paddingMask());
      return new TokenBatch(x, batch.paddingMask(), batch.sizes());
    }
    ReducedTokens reduced = reducing.reduce(mixerInput(batch.x()), batch);
    if (placement == NormPlacement.PARALLEL) {
      throw new UnsupportedOperationException(
          "blocks whose parts are parallel cannot reduce tokens: choose another placement");
    }
    TokenBatch left = reduced.join(batch.x(), this::addMixture);
    return new TokenBatch(mixChannels(left.x(), left.x()), left.paddingMask(), left.sizes());
  }

  /** Whether sequences have fewer tokens afterwards. */
  boolean reduces() {
    return mixer.get() instanceof TokenReducingMixer;
  }

  /** The input of the token mixer when the input of the block is x [B, T, D]. */
  Tensor mixerInput(Tensor x) {
    return tokens.input(x);
  }

  @Override
  TokenMixer.State start(long batch, long capacity, EncodedSource source) {
    return mixer.get().start(batch, capacity);
  }

  /**
   * Transforms the tokens that follow those in a state of its {@link #mixer}: x [B, T, D]; adds
   * them to the state.
   */
  @Override
  public Tensor step(Tensor x, TokenMixer.State state) {
    return mixChannels(x, addMixture(x, mixer.get().step(tokens.input(x), state)));
  }

  @Override
  RowFunction rowFunction(TokenMixer.State state) {
    SublayerRows mixing = tokens.rows(mixer.get().rowFunction(state), mixed.get(), width);
    SublayerRows second = channels.rows(ffn.get().rowFunction(), output.get(), width);
    if (mixing == null || second == null) {
      return null;
    }
    boolean parallel = placement == NormPlacement.PARALLEL;
    return (x, y, rows) -> {
      System.arraycopy(x, 0, y, 0, rows * width);
      mixing.addTo(y, x, rows);
      second.addTo(y, parallel ? x : y, rows);
    };
  }

  private Tensor addMixture(Tensor x, Tensor mixture) {
    return mixed.get().forward(tokens.add(x, mixture));
  }

  /**
   * Adds what the channel mixer makes.
   *
   * @param before the input of the block
   * @param x the sum of it and the mixture of tokens
   */
  private Tensor mixChannels(Tensor before, Tensor x) {
    Tensor read = placement == NormPlacement.PARALLEL ? before : x;
    Tensor made = ffn.get().forward(channels.input(read));
    return output.get().forward(channels.add(x, made));
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
