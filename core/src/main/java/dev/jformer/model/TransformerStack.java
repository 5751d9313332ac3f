package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * A stack of blocks, with positions and dropout before the first and a normalisation after the
 * last. It runs whole sequences, or continues them step by step.
 *
 * @param <B> the blocks
 */
public final class TransformerStack<B extends ResidualBlock> extends Module {
  /**
   * What a stack must know beside its configuration.
   *
   * @param length the longest sequence, in tokens
   * @param causal whether a token sees earlier ones only
   * @param rows in how many rows the tokens stand; see {@link BlockContext}
   * @param inputNorm the normalisation of what enters the first block, after the positions
   * @param blocks the name of the blocks among the stack's members
   */
  @RecordBuilder
  public record Setting(int length, boolean causal, int rows, Norm.Config inputNorm, String blocks)
      implements TransformerStackSettingBuilder.With {
    /** Sequences in one row in which every token sees all others. */
    public Setting(int length) {
      this(length, false, 1, new Norm.NoNormConfig(), "blocks");
    }
  }

  private interface BlockBuilder<B> {
    B build(BlockContext context, Position position);
  }

  private final long length;
  private final Slot<Position> position;
  private final Slot<Layer> inputNorm;
  private final Slot<Layer> dropout;
  private final List<Slot<B>> blocks;
  private final Slot<Layer> norm;

  private TransformerStack(
      StackConfig config, Setting setting, Class<B> kind, BlockBuilder<B> builder) {
    this.length = setting.length();
    BlockConfig parts = config.block();
    int width = config.width();
    int heads = parts.mixer().heads();
    Checks.check(width % heads == 0, "heads", heads, "a divisor of the width " + width);
    Position encoding = config.position().build(width, heads, width / heads, setting.length());
    this.position = child("position", Position.class, encoding);
    this.inputNorm = child("inputNorm", Layer.class, setting.inputNorm().build(width));
    this.dropout = child("dropout", Layer.class, new Dropout(parts.dropout()));
    List<B> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      made.add(builder.build(context(config, setting, layer), encoding));
    }
    this.blocks = children(setting.blocks(), kind, made);
    boolean last = parts.placement() == NormPlacement.PRE;
    this.norm = child("norm", Layer.class, last ? parts.norm().build(width) : new Identity());
  }

  private static BlockContext context(StackConfig config, Setting setting, int layer) {
    BlockConfig parts = config.block();
    return new BlockContext(
        config.width(),
        layer,
        config.layers(),
        setting.length(),
        setting.causal(),
        parts.bias(),
        parts.dropout(),
        parts.init(),
        parts.projection(),
        setting.rows());
  }

  /** A stack of plain blocks, as in language models and encoders. */
  public static TransformerStack<Block> of(StackConfig config, Setting setting) {
    return new TransformerStack<>(
        config, setting, Block.class, (context, p) -> Block.of(context, config.block(), p));
  }

  /** A causal stack of blocks that read what an encoder made, with so many heads. */
  static TransformerStack<DecoderBlock> decoder(
      StackConfig config, Setting setting, int crossHeads) {
    return new TransformerStack<>(
        config,
        setting.withCausal(true),
        DecoderBlock.class,
        (context, p) -> new DecoderBlock(context, config.block(), crossHeads, p));
  }

  /** The blocks, first to last. */
  public List<B> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /** The most tokens a sequence can have; the largest integer if positions extrapolate. */
  long longest() {
    return position.get().extrapolates() ? Integer.MAX_VALUE : length;
  }

  /**
   * The final hidden states of whole sequences, all of whose tokens stay.
   *
   * @param x [B, T, D], the embedding of each token
   * @param ids int64 [B, T]; null where tokens are no words
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; or null
   * @return [B, T, D]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public Tensor forward(Tensor x, Tensor ids, Tensor paddingMask) {
    return forward(x, ids, paddingMask, paddingMask, null);
  }

  /**
   * As {@link #forward(Tensor, Tensor, Tensor)} for a decoder.
   *
   * @param asked bool [B, T], false where a token is not needed: only layers that route tokens look
   *     at it; null if all are
   */
  Tensor forward(Tensor x, Tensor ids, Tensor asked, EncodedSource source) {
    return forward(x, ids, asked, null, source);
  }

  private Tensor forward(
      Tensor x, Tensor ids, Tensor routed, Tensor paddingMask, EncodedSource source) {
    Tensor h = embed(x, 0);
    try (Pass pass = new Pass(ids, routed)) {
      for (Slot<B> block : blocks) {
        h = block.get().forward(h, paddingMask, source);
      }
    }
    return norm.get().forward(h);
  }

  /**
   * The final hidden states of whole sequences, fewer tokens where the mixer lets some go.
   *
   * @param stack the stack
   * @param x as in {@link #forward}, and so are the others
   */
  public static TokenBatch reduce(
      TransformerStack<Block> stack, Tensor x, Tensor ids, Tensor paddingMask) {
    TokenBatch h = new TokenBatch(stack.embed(x, 0), paddingMask, null);
    try (TransformerStack<Block>.Pass pass = stack.new Pass(ids, paddingMask)) {
      for (Slot<Block> block : stack.blocks) {
        h = block.get().reduce(h);
      }
    }
    return new TokenBatch(stack.norm.get().forward(h.x()), h.paddingMask(), h.sizes());
  }

  /** What the token mixer of each block is given, first block to last: [B, T, D] each. */
  static List<Tensor> mixerInputs(TransformerStack<Block> stack, Tensor x, Tensor ids) {
    List<Tensor> inputs = new ArrayList<>();
    Tensor h = stack.embed(x, 0);
    try (TransformerStack<Block>.Pass pass = stack.new Pass(ids, null)) {
      for (Slot<Block> block : stack.blocks) {
        inputs.add(block.get().mixerInput(h));
        h = block.get().forward(h, null);
      }
    }
    return inputs;
  }

  private Tensor embed(Tensor x, long start) {
    long end = start + x.size(1);
    if (end > length && !position.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of " + end + " tokens is longer than the model's length " + length);
    }
    Tensor input = inputNorm.get().forward(position.get().embed(x, start));
    return dropout.get().forward(input);
  }

  /** What is known while tokens pass the blocks: which they are, and biases of their positions. */
  private final class Pass implements AutoCloseable {
    private final SequenceContext tokens;
    private final Position.Pass biases;

    Pass(Tensor ids, Tensor paddingMask) {
      this.tokens = SequenceContext.open(ids, paddingMask);
      this.biases = position.get().pass();
    }

    @Override
    public void close() {
      biases.close();
      tokens.close();
    }
  }

  /**
   * Begins to continue sequences step by step.
   *
   * @param batch B
   * @param capacity the most tokens a sequence will have
   * @param source what a decoder reads; null elsewhere
   * @throws UnsupportedOperationException if a mixer cannot decode step by step
   */
  Decoding decode(long batch, long capacity, EncodedSource source) {
    return new Decoding(batch, capacity, source);
  }

  /** Sequences being continued: what every block remembers of the tokens seen so far. */
  final class Decoding implements AutoCloseable {
    private final List<TokenMixer.State> states = new ArrayList<>();
    private long read;

    private Decoding(long batch, long capacity, EncodedSource source) {
      try {
        for (Slot<B> block : blocks) {
          states.add(block.get().start(batch, capacity, source));
        }
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    /** The final hidden states [B, T, D] of the next tokens: embeddings [B, T, D], ids [B, T]. */
    Tensor next(Tensor x, Tensor ids) {
      Tensor h = embed(x, read);
      try (Pass pass = new Pass(ids, null)) {
        for (int i = 0; i < states.size(); i++) {
          h = blocks.get(i).get().step(h, states.get(i));
        }
      }
      read += x.size(1);
      return norm.get().forward(h);
    }

    /** Number of tokens read. */
    long length() {
      return read;
    }

    /** Forgets all tokens after the first {@code newLength}, where all mixers allow it. */
    void truncate(long newLength) {
      states.forEach(state -> state.truncate(newLength));
      read = Math.min(read, newLength);
    }

    /** Puts other sequences in the places of these; see {@link ResidualBlock#select}. */
    void select(Tensor rows, Tensor sources) {
      for (int i = 0; i < states.size(); i++) {
        blocks.get(i).get().select(states.get(i), rows, sources);
      }
    }

    /** Bytes of memory that all blocks hold. */
    long bytes() {
      return states.stream().mapToLong(TokenMixer.State::bytes).sum();
    }

    /** Releases what was remembered. */
    @Override
    public void close() {
      states.forEach(TokenMixer.State::close);
    }
  }
}
