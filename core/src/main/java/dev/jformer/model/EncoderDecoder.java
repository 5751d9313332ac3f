package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.position.Position;
import dev.jformer.position.Sinusoidal;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;
import java.util.Locale;

/**
 * The Transformer of arXiv 1706.03762: an encoder reads one text, a decoder writes another, each
 * token from those before it and from the encoder's. It translates, or rewrites otherwise.
 *
 * <p>One id ends a text, and begins the decoder's: of a text a b c the decoder is given (end a b c)
 * and predicts (a b c end). The table of words starts with variance 1/D, so that embeddings times
 * √D, as {@link Sinusoidal} can make them, have variance 1, and so have the first logits.
 */
public final class EncoderDecoder extends Model {
  /**
   * Configuration; the defaults are a small Transformer of arXiv 1706.03762 with normalisation
   * before.
   *
   * @param encoderLayers blocks of the encoder
   * @param decoderLayers blocks of the decoder
   * @param width D
   * @param vocab V, number of token ids of both texts, {@code end} among them
   * @param end the id that ends a text; -1 for the last, which then follows the tokenizer's
   * @param length the longest text, in tokens, the end among them
   * @param position how encoder and decoder, each for itself, know where a token stands
   * @param crossHeads heads of the decoder's attention to the encoder; 0 for as many as the mixer's
   * @param shared whether encoder and decoder have one table of words
   * @param tied whether the output layer shares the decoder's table (arXiv 1608.05859)
   * @param block the parts of each block; in the decoder the mixer must be able to be causal
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int encoderLayers,
      int decoderLayers,
      int width,
      int vocab,
      int end,
      int length,
      Position.Config position,
      int crossHeads,
      boolean shared,
      boolean tied,
      @Flat BlockConfig block)
      implements Model.Config, HasBlocks<Config>, EncoderDecoderConfigBuilder.With {
    /** Four layers each, of width 128, for bytes. */
    public Config() {
      this(
          4,
          4,
          128,
          257,
          -1,
          256,
          new Sinusoidal.Config(10_000, true),
          0,
          true,
          true,
          new BlockConfig()
              .with(
                  b ->
                      b.ffn(new Mlp.Config(Activation.RELU, 2, 0))
                          .dropout(0.1)
                          .init(new BlockContext.Init(0.08, false))));
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("encoderLayers", encoderLayers, 1);
      Checks.atLeast("decoderLayers", decoderLayers, 1);
      Checks.atLeast("width", width, 1);
      Checks.atLeast("length", length, 1);
      Checks.notNull("position", position);
      Checks.atLeast("crossHeads", crossHeads, 0);
      if (vocab < 2 || end >= vocab || end < -1) {
        throw new IllegalArgumentException(
            "end is "
                + end
                + " and vocab is "
                + vocab
                + ": expected two ids or more, the one that ends a text among them, or -1");
      }
    }

    @Override
    public String type() {
      return "encoder-decoder";
    }

    @Override
    public EncoderDecoder build() {
      return new EncoderDecoder(this);
    }

    @Override
    public Config withBlock(BlockConfig block) {
      return EncoderDecoderConfigBuilder.With.super.withBlock(block);
    }

    /**
     * This configuration for the tokens of a tokenizer.
     *
     * @param tokens how many ids it has
     * @param endOfText the one that ends a text; -1 if it has none, for one more
     */
    public Config sized(int tokens, int endOfText) {
      return with(c -> c.vocab(endOfText < 0 ? tokens + 1 : tokens).end(endOfText));
    }

    /** Whether the ids of a tokenizer with so many are those of this vocabulary. */
    public boolean fits(int tokens) {
      return vocab == (end < 0 ? tokens + 1 : tokens);
    }

    private StackConfig stack(int layers) {
      return new StackConfig(layers, width, position, block);
    }
  }

  private final Config config;
  private final Slot<Layer> sourceEmbedding;
  private final Slot<Layer> embedding;
  private final Slot<TransformerStack<Block>> encoder;
  private final Slot<TransformerStack<DecoderBlock>> decoder;
  private final Slot<Layer> head;

  /** A model with freshly drawn weights. */
  public EncoderDecoder(Config config) {
    this.config = config;
    int width = config.width();
    Initializer normal = Initializer.normal(1 / Math.sqrt(width));
    Projection projection = config.projection();
    TokenEmbedding table = projection.table(config.vocab(), width, normal);
    this.embedding = child("embedding", Layer.class, table);
    this.sourceEmbedding =
        config.shared()
            ? embedding
            : child(
                "sourceEmbedding", Layer.class, projection.table(config.vocab(), width, normal));
    TransformerStack.Setting setting = new TransformerStack.Setting(config.length());
    this.encoder =
        child(
            "encoder",
            TransformerStack.class,
            TransformerStack.of(config.stack(config.encoderLayers()), setting));
    int crossHeads = config.crossHeads() == 0 ? config.mixer().heads() : config.crossHeads();
    this.decoder =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.decoder(
                config.stack(config.decoderLayers()), setting.withBlocks("decoder"), crossHeads));
    this.head =
        child(
            "head",
            Layer.class,
            config.tied() ? table.output() : projection.output(width, config.vocab(), normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The id that ends a text, and begins what the decoder is given. */
  public int end() {
    return config.end() < 0 ? config.vocab() - 1 : config.end();
  }

  /** The encoder's blocks, first to last. */
  public List<Block> encoderBlocks() {
    return encoder.get().blocks();
  }

  /** The decoder's blocks, first to last. */
  public List<DecoderBlock> decoderBlocks() {
    return decoder.get().blocks();
  }

  /**
   * What the encoder makes of texts.
   *
   * @param source int64 [B, S]
   * @param paddingMask bool [B, S], false where a text is filled up with any id; null if none is
   * @return [B, S, D]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor encode(Tensor source, Tensor paddingMask) {
    Tensor x = sourceEmbedding.get().forward(source);
    return TransformerStack.reduce(encoder.get(), x, source, paddingMask).x();
  }

  /**
   * Scores of the next token after each of the decoder's.
   *
   * @param source as {@link #encode}'s
   * @param paddingMask as {@link #encode}'s
   * @param target int64 [B, T], what the decoder is given; what stands after a text's end changes
   *     nothing before it
   * @return logits [B, T, V]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor logits(Tensor source, Tensor paddingMask, Tensor target) {
    return head.get().forward(hidden(encode(source, paddingMask), paddingMask, target));
  }

  /**
   * The decoder's final hidden states.
   *
   * @param memory [B, S, D], as {@link #encode} gives it
   * @param paddingMask as {@link #encode}'s
   * @param target as {@link #logits}'s
   * @return [B, T, D]
   */
  public Tensor hidden(Tensor memory, Tensor paddingMask, Tensor target) {
    return hidden(memory, paddingMask, target, null);
  }

  /** As above, saying of the decoder's tokens which are no padding: bool [B, T], or null. */
  private Tensor hidden(Tensor memory, Tensor paddingMask, Tensor target, Tensor given) {
    EncodedSource source = new EncodedSource(memory, paddingMask);
    return decoder.get().forward(embedding.get().forward(target), target, given, source);
  }

  /**
   * Scores of the tokens that are asked for, the others not being computed; layers that route
   * tokens take them for padding.
   *
   * @param places int64 [M], which of the B T tokens of the target's are asked for
   * @return logits [M, V], float32
   */
  public Tensor logits(Tensor source, Tensor paddingMask, Tensor target, Tensor places) {
    Tensor given = null;
    if (places.elements() < target.elements()) {
      Tensor none = Tensor.zeros(DType.BOOL, target.elements());
      given = none.scatter(0, places, 1.0).view(target.shape().toArray());
    }
    Tensor hidden = hidden(encode(source, paddingMask), paddingMask, target, given);
    return head.get().forward(hidden.flatten(0, 1).indexSelect(0, places)).to(DType.FLOAT32);
  }

  /**
   * Scores of what follows one of the decoder's tokens.
   *
   * @param memory as {@link #hidden}'s
   * @param at which token of each text
   * @return logits [B, V]
   */
  public Tensor logits(Tensor memory, Tensor paddingMask, Tensor target, long at) {
    return head.get().forward(hidden(memory, paddingMask, target).select(1, at));
  }

  /**
   * Begins to write: K texts for each that was read.
   *
   * @param source as {@link #encode}'s
   * @param paddingMask as {@link #encode}'s
   * @param beams K
   * @param capacity the most tokens a text will have
   * @throws UnsupportedOperationException if a mixer cannot decode step by step
   */
  public Decoding decode(Tensor source, Tensor paddingMask, int beams, long capacity) {
    return new Decoding(source, paddingMask, beams, capacity);
  }

  /** Texts being written: what the decoder remembers of what was read and written. */
  public final class Decoding implements AutoCloseable {
    private final TransformerStack<DecoderBlock>.Decoding states;

    private Decoding(Tensor source, Tensor paddingMask, int beams, long capacity) {
      Tensor memory = encode(source, paddingMask);
      this.states =
          decoder
              .get()
              .decode(
                  source.size(0) * beams, capacity, new EncodedSource(memory, paddingMask, beams));
    }

    /**
     * Reads the next token of each text and scores what follows.
     *
     * @param ids int64 [B K], the K texts of one that was read side by side
     * @return logits [B K, V], the same as {@link EncoderDecoder#logits} gives for the last token
     *     of the whole text
     */
    public Tensor next(Tensor ids) {
      Tensor tokens = ids.unsqueeze(1);
      Tensor x = states.next(embedding.get().forward(tokens), tokens);
      return head.get().forward(x).squeeze(1);
    }

    /**
     * Puts other texts in the places of these; see {@link TokenMixer.State#select}.
     *
     * @param rows int64 [B' K], places from 0 to B K - 1, of texts of the same source as will then
     *     stand in their place
     * @param sources int64 [B'], which of the texts that were read are needed still; null for all
     * @throws UnsupportedOperationException if a mixer cannot exchange sequences
     */
    public void select(Tensor rows, Tensor sources) {
      states.select(rows, sources);
    }

    /** Number of tokens read of each text. */
    public long length() {
      return states.length();
    }

    /** Bytes of memory that all layers hold. */
    public long bytes() {
      return states.bytes();
    }

    /** Releases what was remembered. */
    @Override
    public void close() {
      states.close();
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s, %d + %d layers, width %d, vocabulary %d, %.1f M parameters",
        config.type(),
        config.encoderLayers(),
        config.decoderLayers(),
        config.width(),
        config.vocab(),
        parameterCount() / 1e6);
  }
}
