package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.CrossAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * A residual block of a decoder (<a href="https://arxiv.org/abs/1706.03762">Attention Is All You
 * Need</a>): a token mixer, cross-attention to the encoder's tokens, then a channel mixer.
 */
public final class DecoderBlock extends ResidualBlock {
  private final Slot<TokenMixer> mixer;
  private final Slot<CrossAttention> cross;
  private final Slot<ChannelMixer> ffn;
  private final Sublayer tokens;
  private final Sublayer source;
  private final Sublayer channels;

  /**
   * Creates a block.
   *
   * @param crossHeads heads of the attention to the encoder
   */
  public DecoderBlock(BlockContext context, BlockConfig config, int crossHeads, Position position) {
    Block.check(config.norm(), context);
    int width = context.width();
    this.mixer = child("mixer", TokenMixer.class, config.mixer().build(context, position));
    Slot<Layer> mixerNorm = child("mixerNorm", Layer.class, config.mixerNorm(context));
    this.cross = child("cross", CrossAttention.class, new CrossAttention(crossHeads, context));
    Slot<Layer> crossNorm = child("crossNorm", Layer.class, config.norm().build(width));
    this.ffn = child("ffn", ChannelMixer.class, config.ffn().build(context));
    Slot<Layer> ffnNorm = child("ffnNorm", Layer.class, config.norm().build(width));
    Checks.check(
        config.placement() != NormPlacement.PARALLEL,
        "placement",
        "parallel",
        "'pre', 'post' or 'sandwich' in decoders, whose parts follow each other");
    this.tokens = sublayer("mixer", mixerNorm, context, config);
    this.source = sublayer("cross", crossNorm, context, config);
    this.channels = sublayer("ffn", ffnNorm, context, config);
  }

  private Sublayer sublayer(
      String part, Slot<Layer> norm, BlockContext context, BlockConfig config) {
    Layer outputNorm = Sublayer.outputNorm(config, context.width());
    return new Sublayer(
        config.placement(),
        norm,
        child(part + "OutputNorm", Layer.class, outputNorm),
        child(part + "Branch", Layer.class, config.residual().build(context)));
  }

  /**
   * Transforms whole sequences.
   *
   * @param x [B, T, D]
   * @param memory the encoder's tokens, as {@link #read} gives them
   * @return [B, T, D]
   */
  public Tensor forward(Tensor x, CrossAttention.Memory memory) {
    return forward(x, null, memory);
  }

  private Tensor forward(Tensor x, Tensor paddingMask, CrossAttention.Memory memory) {
    Tensor mixed = tokens.apply(x, y -> mixer.get().forward(y, paddingMask));
    Tensor read = source.apply(mixed, y -> cross.get().forward(y, memory));
    return channels.apply(read, ffn.get()::forward);
  }

  @Override
  Tensor forward(Tensor x, Tensor paddingMask, EncodedSource encoded) {
    return forward(x, paddingMask, read(encoded.hidden(), encoded.paddingMask()));
  }

  @Override
  TokenMixer.State start(long batch, long capacity, EncodedSource encoded) {
    TokenMixer.State own = mixer.get().start(batch, capacity);
    try {
      return new State(own, read(encoded.hidden(), encoded.paddingMask()).keep(), encoded.beams());
    } catch (RuntimeException e) {
      own.close();
      throw e;
    }
  }

  @Override
  Tensor step(Tensor x, TokenMixer.State state) {
    State own = (State) state;
    Tensor mixed = tokens.apply(x, y -> mixer.get().step(y, own.tokens));
    // Cross-attention ignores order: K sequences query as K tokens of one sequence would.
    Tensor read =
        source.apply(
            mixed,
            y ->
                cross
                    .get()
                    .forward(y.reshape(-1, own.beams, y.size(2)), own.memory)
                    .reshape(-1, 1, y.size(2)));
    return channels.apply(read, ffn.get()::forward);
  }

  @Override
  void select(TokenMixer.State state, Tensor rows, Tensor sources) {
    state.select(rows);
    if (sources != null) {
      ((State) state).selectSources(sources);
    }
  }

  /** The state of the token mixer, and the keys and values of the encoder's tokens. */
  private static final class State implements TokenMixer.State {
    private final TokenMixer.State tokens;
    private final long beams;
    private CrossAttention.Memory memory;

    State(TokenMixer.State tokens, CrossAttention.Memory memory, long beams) {
      this.tokens = tokens;
      this.memory = memory;
      this.beams = beams;
    }

    @Override
    public long length() {
      return tokens.length();
    }

    @Override
    public void truncate(long length) {
      tokens.truncate(length);
    }

    @Override
    public void select(Tensor rows) {
      tokens.select(rows);
    }

    void selectSources(Tensor sources) {
      CrossAttention.Memory chosen = memory.select(sources).keep();
      memory.close();
      memory = chosen;
    }

    @Override
    public long bytes() {
      return tokens.bytes() + memory.bytes();
    }

    @Override
    public void close() {
      tokens.close();
      memory.close();
    }
  }

  /**
   * Computes the keys and values of the encoder's tokens, from hidden [B, S, D] and the padding
   * mask, bool [B, S] or null.
   */
  public CrossAttention.Memory read(Tensor hidden, Tensor paddingMask) {
    return cross.get().read(hidden, paddingMask);
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
