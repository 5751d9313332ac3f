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
 * The encoder-decoder Transformer of <a href="https://arxiv.org/abs/1706.03762">Attention Is All
 * You Need</a>, for translation and similar tasks: an encoder reads one text, a decoder predicts
 * each token of another from the tokens before it and the encoder's output.
 *
 * <p>The same id ends a text and begins the decoder's input: for a text a b c the decoder reads
 * (end a b c) and predicts (a b c end). The token embedding is initialised with variance 1/D, so
 * that embeddings times √D, as {@link Sinusoidal} can scale them, have variance 1, and so do the
 * first logits.
 */
public final class EncoderDecoder extends Model {
  /**
   * Configuration; the defaults are a small Transformer with pre-norm blocks.
   *
   * @param encoderLayers blocks of the encoder
   * @param decoderLayers blocks of the decoder
   * @param width D
   * @param vocab V, number of token ids of both texts, {@code end} among them
   * @param end the id that ends a text; -1 for the last id of the vocabulary, after those of the
   *     tokenizer
   * @param length the longest text, in tokens, the end included
   * @param position the position encoding of the encoder and of the decoder
   * @param crossHeads heads of the decoder's attention to the encoder; 0 for as many as the mixer
   *     has
   * @param shared whether encoder and decoder share one token embedding
   * @param tied whether the output layer shares the decoder's token embedding (<a
   *     href="https://arxiv.org/abs/1608.05859">Using the Output Embedding to Improve Language
   *     Models</a>)
   * @param block the parts of each block; the mixer must support causal use, for the decoder
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
    /** Defaults: four layers each of width 128, for bytes. */
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
     * Returns this configuration for the tokens of a tokenizer.
     *
     * @param tokens the number of its ids
     * @param endOfText the id that ends a text; -1 if the tokenizer has none, which adds one
     */
    public Config sized(int tokens, int endOfText) {
      return with(c -> c.vocab(endOfText < 0 ? tokens + 1 : tokens).end(endOfText));
    }

    /** Whether the vocabulary is that of a tokenizer with a number of ids. */
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

  /** Creates a model with random weights. */
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
                config.stack(config.decoderLayers()),
                setting.withCausal(true).withBlocks("decoder"),
                crossHeads));
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

  /** The id that ends a text and begins the decoder's input. */
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
   * Computes the encoder's output for texts.
   *
   * @param source int64 [B, S]
   * @param paddingMask bool [B, S], false where a token is padding; null if there is none
   * @return [B, S, D]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor encode(Tensor source, Tensor paddingMask) {
    Tensor x = sourceEmbedding.get().forward(source);
    return TransformerStack.reduce(encoder.get(), x, source, paddingMask).x();
  }

  /**
   * Computes the logits of the next token after each of the decoder's tokens.
   *
   * @param source as {@link #encode}'s
   * @param paddingMask as {@link #encode}'s
   * @param target int64 [B, T], the decoder's input; tokens after a text's end do not change the
   *     results before it
   * @return logits [B, T, V]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor logits(Tensor source, Tensor paddingMask, Tensor target) {
    return head.get().forward(hidden(encode(source, paddingMask), paddingMask, target));
  }

  /**
   * Computes the decoder's final hidden states.
   *
   * @param memory [B, S, D], as {@link #encode} returns it
   * @param paddingMask as {@link #encode}'s
   * @param target as {@link #logits}'s
   * @return [B, T, D]
   */
  public Tensor hidden(Tensor memory, Tensor paddingMask, Tensor target) {
    return hidden(memory, paddingMask, target, null);
  }

  /**
   * Computes the decoder's final hidden states with a padding mask of its tokens: bool [B, T], or
   * null.
   */
  private Tensor hidden(Tensor memory, Tensor paddingMask, Tensor target, Tensor given) {
    EncodedSource source = new EncodedSource(memory, paddingMask);
    return decoder.get().forward(embedding.get().forward(target), target, given, source);
  }

  /**
   * Computes the logits at some positions only; layers that route tokens treat the others as
   * padding.
   *
   * @param places int64 [M], indices of the positions among the B T tokens of the target
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

  /** Computes logits from the decoder's final hidden states: [..., D] to [..., V]. */
  public Tensor output(Tensor hidden) {
    return head.get().forward(hidden);
  }

  /**
   * Starts decoding of K texts for each source.
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

  /** Texts being decoded: the decoder's state after the source and the tokens so far. */
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
     * Reads the next token of each text and computes the logits after it.
     *
     * @param ids int64 [B K], the K texts of each source side by side
     * @return logits [B K, V], the same as {@link EncoderDecoder#logits} gives for the last token
     *     of the whole text
     */
    public Tensor next(Tensor ids) {
      return output(hidden(ids));
    }

    /** Reads the next token of each text and computes its final hidden state: [B K, D]. */
    public Tensor hidden(Tensor ids) {
      Tensor tokens = ids.unsqueeze(1);
      return states.next(embedding.get().forward(tokens), tokens).squeeze(1);
    }

    /** Drops all tokens of each text after the first {@code newLength}, if all mixers can. */
    public void truncate(long newLength) {
      states.truncate(newLength);
    }

    /**
     * Replaces the texts by a selection of them; see {@link TokenMixer.State#select}.
     *
     * @param rows int64 [B' K], indices from 0 to B K - 1 of the texts that are kept, those of one
     *     source side by side
     * @param sources int64 [B'], indices of the sources that are still needed; null for all
     * @throws UnsupportedOperationException if a mixer cannot select sequences
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

    /** Releases the states. */
    @Override
    public void close() {
      states.close();
    }
  }

  @Override
  protected String details() {
    return String.format(
        Locale.ROOT,
        "%d + %d layers, width %d, vocabulary %d",
        config.encoderLayers(),
        config.decoderLayers(),
        config.width(),
        config.vocab());
  }
}
