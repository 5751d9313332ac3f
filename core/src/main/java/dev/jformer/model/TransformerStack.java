package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Packing;
import dev.jformer.nn.Recomputation;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * A stack of blocks, with positions and dropout before the first and a normalisation after the
 * last. It transforms whole sequences, or continues them step by step.
 *
 * @param <B> the class of the blocks
 */
public final class TransformerStack<B extends ResidualBlock> extends Module {
  /**
   * The properties of a stack that follow from its model rather than from its own configuration.
   *
   * @param length the longest sequence, in tokens
   * @param causal whether a token sees itself and earlier ones only
   * @param rows number of rows in which tokens are arranged; see {@link BlockContext}
   * @param inputNorm the normalisation of the first block's input, after the positions
   * @param blocks the name of the blocks among the stack's members
   */
  @RecordBuilder
  public record Setting(int length, boolean causal, int rows, Norm.Config inputNorm, String blocks)
      implements TransformerStackSettingBuilder.With {
    /** Creates the setting of a bidirectional stack of sequences. */
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
    TokenMixer.Config mixer = parts.mixer();
    Position encoding =
        config.position().build(width, mixer.heads(), mixer.headDim(width), setting.length());
    this.position = child("position", Position.class, encoding);
    this.inputNorm = child("inputNorm", Layer.class, setting.inputNorm().build(width));
    this.dropout = child("dropout", Layer.class, new Dropout(parts.dropout()));
    List<B> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      BlockContext context =
          parts.context(
              width, layer, config.layers(), setting.length(), setting.causal(), setting.rows());
      made.add(builder.build(context, encoding.ofLayer(layer)));
    }
    this.blocks = children(setting.blocks(), kind, made);
    boolean last = parts.placement().isBefore();
    this.norm = child("norm", Layer.class, last ? parts.norm().build(width) : new Identity());
  }

  /** Builds a stack of plain blocks, as in language models and encoders. */
  public static TransformerStack<Block> of(StackConfig config, Setting setting) {
    return new TransformerStack<>(
        config, setting, Block.class, (context, p) -> Block.of(context, config.block(), p));
  }

  /** Builds a stack of decoder blocks with a number of cross-attention heads, causal or not. */
  static TransformerStack<DecoderBlock> decoder(
      StackConfig config, Setting setting, int crossHeads) {
    return new TransformerStack<>(
        config,
        setting,
        DecoderBlock.class,
        (context, p) -> new DecoderBlock(context, config.block(), crossHeads, p));
  }

  /** The blocks, first to last. */
  public List<B> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /** Whether the encoding of positions changes when a sequence grows; see {@link Position}. */
  boolean positionsChange(long length, long longer) {
    return position.get().changes(length, longer);
  }

  /** The most tokens a sequence can have; the largest integer if positions extrapolate. */
  long longest() {
    return position.get().extrapolates() ? Integer.MAX_VALUE : length;
  }

  /**
   * Computes the final hidden states of whole sequences without reducing tokens.
   *
   * @param x [B, T, D], the embedding of each token
   * @param ids int64 [B, T]; null if tokens are not words
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; or null
   * @return [B, T, D]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public Tensor forward(Tensor x, Tensor ids, Tensor paddingMask) {
    return forward(x, ids, paddingMask, paddingMask, null, null);
  }

  /**
   * Computes the final hidden states of rows that hold several sequences each; a sequence gives
   * what it gives alone, and its positions begin at 0.
   *
   * @param x [B, T, D], the embedding of each token
   * @param ids int64 [B, T]
   * @param packing the sequences of each row
   * @return [B, T, D]
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  Tensor forwardPacked(Tensor x, Tensor ids, Packing packing) {
    return forward(x, ids, null, null, null, packing);
  }

  /**
   * Computes the final hidden states of a decoder; see {@link #forward(Tensor, Tensor, Tensor)}.
   *
   * @param asked bool [B, T], false where a token is not needed, which matters to layers that route
   *     tokens only; null if all are needed
   */
  Tensor forward(Tensor x, Tensor ids, Tensor asked, EncodedSource source) {
    return forward(x, ids, asked, null, source, null);
  }

  /**
   * Computes the final hidden states of whole sequences, one block of which continues a state.
   *
   * @param x as in {@link #forward(Tensor, Tensor, Tensor)}, as is {@code ids}
   * @param layer index of the block, from 0
   * @param state what that block's mixer sees besides the tokens
   */
  Tensor forward(Tensor x, Tensor ids, int layer, TokenMixer.State state) {
    Tensor h = embed(x, 0);
    HiddenStates.begin(null);
    try (Pass pass = new Pass(ids, null)) {
      for (int i = 0; i < blocks.size(); i++) {
        B block = blocks.get(i).get();
        if (i == layer) {
          h = block.step(h, state);
        } else {
          h =
              Recomputation.isOn()
                  ? recomputed(block, h, ids, null, null, null)
                  : block.forward(h, null, null);
        }
        HiddenStates.add(h);
      }
    }
    return norm.get().forward(h);
  }

  /**
   * Computes the final hidden states of a decoder that may be bidirectional; see {@link
   * #forward(Tensor, Tensor, Tensor, EncodedSource)}.
   *
   * @param routed as {@code asked} there
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; null if
   *     there is none
   */
  Tensor forward(Tensor x, Tensor ids, Tensor routed, Tensor paddingMask, EncodedSource source) {
    return forward(x, ids, routed, paddingMask, source, null);
  }

  private Tensor forward(
      Tensor x,
      Tensor ids,
      Tensor routed,
      Tensor paddingMask,
      EncodedSource source,
      Packing packing) {
    Tensor h = packing == null ? embed(x, 0) : enter(packing.map(x, 1, part -> placed(part, 0)));
    HiddenStates.begin(routed);
    try (Pass pass = new Pass(ids, routed, packing)) {
      for (Slot<B> block : blocks) {
        h =
            source == null && Recomputation.isOn()
                ? recomputed(block.get(), h, ids, routed, paddingMask, packing)
                : block.get().forward(h, paddingMask, source);
        HiddenStates.add(h);
      }
    }
    return norm.get().forward(h);
  }

  /**
   * Computes the final hidden states of some tokens of whole sequences, as {@link #forward(Tensor,
   * Tensor, Tensor)} does for all; the last block computes no more than these.
   *
   * @param x [B, T, D]; tokens that are not words, without padding
   * @param tokens those that are wanted
   * @return [B, t, D]
   */
  Tensor forwardAt(Tensor x, TokenSubset tokens) {
    if (Recomputation.isOn() || HiddenStates.isCollected()) {
      return tokens.of(forward(x, null, null), 1);
    }
    Tensor h = embed(x, 0);
    try (Pass pass = new Pass(null, null)) {
      int last = blocks.size() - 1;
      for (int i = 0; i < last; i++) {
        h = blocks.get(i).get().forward(h, null, null);
      }
      h = blocks.get(last).get().forwardAt(h, tokens);
    }
    return norm.get().forward(h);
  }

  /** The output of a block that is computed again in the backward pass. */
  private Tensor recomputed(
      B block, Tensor x, Tensor ids, Tensor routed, Tensor paddingMask, Packing packing) {
    return Recomputation.of(
        block,
        position.get().trained(),
        x,
        states -> {
          try (Pass pass = new Pass(ids, routed, packing)) {
            return block.forward(states, paddingMask, null);
          }
        });
  }

  /**
   * Computes the final hidden states of whole sequences, fewer tokens if the mixer reduces them.
   *
   * @param stack the stack
   * @param x as in {@link #forward}, as are the other parameters
   */
  public static TokenBatch reduce(
      TransformerStack<Block> stack, Tensor x, Tensor ids, Tensor paddingMask) {
    TokenBatch h = new TokenBatch(stack.embed(x, 0), paddingMask, null);
    HiddenStates.begin(paddingMask);
    try (TransformerStack<Block>.Pass pass = stack.new Pass(ids, paddingMask)) {
      for (Slot<Block> block : stack.blocks) {
        if (Recomputation.isOn() && !block.get().reduces()) {
          Tensor states =
              stack.recomputed(block.get(), h.x(), ids, h.paddingMask(), h.paddingMask(), null);
          h = new TokenBatch(states, h.paddingMask(), h.sizes());
        } else {
          h = block.get().reduce(h);
        }
        HiddenStates.add(h.x());
      }
    }
    return new TokenBatch(stack.norm.get().forward(h.x()), h.paddingMask(), h.sizes());
  }

  /** Computes the input of each block's token mixer, first block to last: [B, T, D] each. */
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
    return enter(placed(x, start));
  }

  /** Encodes the positions of one sequence in a row. */
  private Tensor placed(Tensor x, long start) {
    long end = start + x.size(1);
    if (end > length && !position.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of " + end + " tokens is longer than the model's length " + length);
    }
    return position.get().embed(x, start);
  }

  private Tensor enter(Tensor placed) {
    return dropout.get().forward(inputNorm.get().forward(placed));
  }

  /**
   * The context of a pass through the blocks: the tokens' ids and the biases of their positions.
   */
  private final class Pass implements AutoCloseable {
    private final SequenceContext tokens;
    private final List<Position.Pass> biases;

    Pass(Tensor ids, Tensor paddingMask) {
      this(ids, paddingMask, null);
    }

    Pass(Tensor ids, Tensor paddingMask, Packing packing) {
      this.tokens = SequenceContext.open(ids, paddingMask, packing);
      this.biases = position.get().ofLayers().stream().map(Position::pass).toList();
    }

    @Override
    public void close() {
      for (int i = biases.size() - 1; i >= 0; i--) {
        biases.get(i).close();
      }
      tokens.close();
    }
  }

  /**
   * Starts decoding step by step.
   *
   * @param batch B
   * @param capacity the most tokens a sequence will have
   * @param source the encoder's output for a decoder; null otherwise
   * @throws UnsupportedOperationException if a mixer cannot decode step by step
   */
  Decoding decode(long batch, long capacity, EncodedSource source) {
    return new Decoding(batch, capacity, source);
  }

  /** Sequences being decoded: the state of every block after the tokens so far. */
  final class Decoding implements AutoCloseable {
    private final List<TokenMixer.State> states = new ArrayList<>();
    private final boolean positionsStay;
    private long read;

    /** The blocks for plain floats; null before they are needed, or if there are none. */
    private BlocksRows rows;

    private boolean rowsAreSought = true;

    private Decoding(long batch, long capacity, EncodedSource source) {
      this.positionsStay = !positionsChange(1, capacity);
      try {
        for (Slot<B> block : blocks) {
          states.add(block.get().start(batch, capacity, source));
        }
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    /**
     * Computes the final hidden states [B, T, D] of the next tokens from their embeddings [B, T, D]
     * and ids [B, T].
     */
    Tensor next(Tensor x, Tensor ids) {
      Tensor h = embed(x, read);
      h = hasRows(h) ? rows.apply(h) : step(h, ids);
      read += x.size(1);
      return norm.get().forward(h);
    }

    private Tensor step(Tensor x, Tensor ids) {
      Tensor h = x;
      try (Pass pass = new Pass(ids, null)) {
        for (int i = 0; i < states.size(); i++) {
          h = blocks.get(i).get().step(h, states.get(i));
        }
      }
      return h;
    }

    /** Whether the blocks can be computed as functions of plain floats. */
    private boolean hasRows(Tensor x) {
      if (!positionsStay || !BlocksRows.suits(x)) {
        return false;
      }
      if (rowsAreSought) {
        rows = BlocksRows.of(blocks(), states);
        rowsAreSought = false;
      }
      return rows != null;
    }

    /** Number of tokens read. */
    long length() {
      return read;
    }

    /** Drops all tokens after the first {@code newLength}, if all mixers support it. */
    void truncate(long newLength) {
      states.forEach(state -> state.truncate(newLength));
      read = Math.min(read, newLength);
    }

    /** Replaces the sequences by a selection of them; see {@link ResidualBlock#select}. */
    void select(Tensor rows, Tensor sources) {
      for (int i = 0; i < states.size(); i++) {
        blocks.get(i).get().select(states.get(i), rows, sources);
      }
    }

    /** The state of each block, first to last. */
    List<TokenMixer.State> states() {
      return List.copyOf(states);
    }

    /** Bytes of memory that all blocks hold. */
    long bytes() {
      return states.stream().mapToLong(TokenMixer.State::bytes).sum();
    }

    /** Releases the states. */
    @Override
    public void close() {
      states.forEach(TokenMixer.State::close);
    }
  }
}
