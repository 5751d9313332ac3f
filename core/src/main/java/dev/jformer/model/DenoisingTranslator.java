package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * A translator that writes all words of a translation at once and then improves them in a few
 * passes (<a href="https://arxiv.org/abs/2112.06749">Step-unrolled Denoising Autoencoders for Text
 * Generation</a>), and that can begin with a masked language model (<a
 * href="https://arxiv.org/abs/2408.16241">Making the Most of your Model: Methods for Finetuning and
 * Applying Pretrained Transformers</a>). An encoder reads the source; a bidirectional decoder reads
 * a translation of which some words are wrong, and predicts every word of the right one. A
 * classifier on the encoder predicts the number of tokens.
 *
 * <p>Both halves have the blocks of one {@link Encoder} configuration. The encoder and the head
 * have the names of a masked language model, whose weights the decoder's blocks begin with too; its
 * attention to the source and the classifier of lengths are new. The id of padding ends a text.
 */
public final class DenoisingTranslator extends Model {
  private static final String TARGET = "target.";
  private static final String TRUNK = "trunk.";

  /**
   * Configuration; the defaults are two times four layers of width 128.
   *
   * @param encoder the encoder, whose embeddings, blocks and head the decoder has as well
   * @param decoderLayers blocks of the decoder; 0 for as many as the encoder has
   * @param crossHeads heads of the decoder's attention to the encoder; 0 for as many as the mixer
   *     has
   * @param unrolled how often the decoder reads its own output in training, the first reading of a
   *     corrupted translation included
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(Encoder.Config encoder, int decoderLayers, int crossHeads, int unrolled)
      implements Model.Config, HasBlocks<Config>, DenoisingTranslatorConfigBuilder.With {
    /** Defaults, for bytes; two steps are unrolled. */
    public Config() {
      this(new Encoder.Config(), 0, 0, 2);
    }

    /** Checks the values. */
    public Config {
      Checks.notNull("encoder", encoder);
      Checks.atLeast("decoderLayers", decoderLayers, 0);
      Checks.atLeast("crossHeads", crossHeads, 0);
      Checks.between("unrolled", unrolled, 1, 100);
      if (encoder.labels() != 0 || !encoder.head().mlmHead()) {
        throw new IllegalArgumentException(
            "encoder has "
                + encoder.labels()
                + " labels and mlmHead "
                + encoder.head().mlmHead()
                + ": expected a masked language model, with labels 0 and mlmHead true");
      }
      Checks.check(
          !encoder.causal(),
          "encoder.causal",
          true,
          "false, as every word is written from all others");
    }

    @Override
    public String type() {
      return "denoising-translator";
    }

    @Override
    public DenoisingTranslator build() {
      return new DenoisingTranslator(this);
    }

    /** A translator with the shape of a masked language model on both sides. */
    @Override
    public Optional<Config> beginningWith(Model.Config trained) {
      return trained instanceof Encoder.Config given && given.head().mlmHead()
          ? Optional.of(withEncoder(given.withLabels(0)))
          : Optional.empty();
    }

    /** The longest text, in tokens, the end included. */
    public int length() {
      return encoder.length();
    }

    @Override
    public BlockConfig block() {
      return encoder.block();
    }

    @Override
    public Config withBlock(BlockConfig block) {
      return withEncoder(encoder.withBlock(block));
    }

    private StackConfig decoderStack() {
      return decoderLayers == 0 ? encoder.stack() : encoder.stack().withLayers(decoderLayers);
    }
  }

  private final Config config;
  private final Slot<Encoder> encoder;
  private final Slot<TransformerStack<DecoderBlock>> target;
  private final Slot<Layer> sourceLength;
  private final Slot<Layer> lengthHead;

  /** Creates a model with random weights. */
  public DenoisingTranslator(Config config) {
    this.config = config;
    Encoder.Config shape = config.encoder();
    this.encoder = unnamedChild(Encoder.class, shape.build());
    int heads = config.crossHeads() == 0 ? shape.mixer().heads() : config.crossHeads();
    this.target =
        child(
            "target",
            TransformerStack.class,
            TransformerStack.decoder(
                config.decoderStack(),
                new TransformerStack.Setting(shape.length())
                    .withInputNorm(shape.embeddings().norm()),
                heads));
    Initializer normal = Initializer.normal(shape.init().deviation());
    this.sourceLength =
        child(
            "sourceLength", Layer.class, new Embedding(shape.length() + 1L, shape.width(), normal));
    this.lengthHead =
        child("lengthHead", Layer.class, new Linear(shape.width(), shape.length(), true, normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The id that ends a text: that of padding. */
  public int end() {
    return (int) encoder.get().padding();
  }

  /** The number of ids that corrupted words are drawn from: those of the tokenizer. */
  public int words() {
    return config.encoder().tokens();
  }

  /** The decoder's blocks, first to last. */
  public List<DecoderBlock> decoderBlocks() {
    return target.get().blocks();
  }

  /**
   * Computes the encoder's output.
   *
   * @param source int64 [B, S]
   * @param paddingMask bool [B, S], false where a token is padding; null if there is none
   * @return [B, S, D]
   * @throws IllegalArgumentException if a text is longer than the model can take
   */
  public Tensor encode(Tensor source, Tensor paddingMask) {
    return encoder.get().hidden(source, paddingMask);
  }

  /**
   * Predicts every token of a translation.
   *
   * @param memory [B, S, D], as {@link #encode} gives it
   * @param sourceMask the padding of the source, as there
   * @param draft int64 [B, T], a translation of which some tokens are wrong
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @return logits [B, T, V]
   * @throws IllegalArgumentException if a translation is longer than the model can take
   */
  public Tensor logits(Tensor memory, Tensor sourceMask, Tensor draft, Tensor paddingMask) {
    return encoder.get().mlmLogits(hidden(memory, sourceMask, draft, paddingMask));
  }

  private Tensor hidden(Tensor memory, Tensor sourceMask, Tensor draft, Tensor paddingMask) {
    Tensor x = encoder.get().embed(draft);
    EncodedSource source = new EncodedSource(memory, sourceMask);
    return target.get().forward(x, draft, paddingMask, paddingMask, source);
  }

  /**
   * Predicts some tokens of translations; see {@link #logits(Tensor, Tensor, Tensor, Tensor)}.
   *
   * @param places int64 [M], indices among the B T tokens of the draft
   * @return logits [M, V], float32
   */
  public Tensor logitsAt(
      Tensor memory, Tensor sourceMask, Tensor draft, Tensor paddingMask, Tensor places) {
    Tensor hidden = hidden(memory, sourceMask, draft, paddingMask).flatten(0, 1);
    return encoder.get().mlmLogits(hidden.indexSelect(0, places)).to(DType.FLOAT32);
  }

  /**
   * Predicts the number of tokens of translations, the end included, from the mean of the encoder's
   * output and the number of tokens of the source. No gradient flows to the encoder.
   *
   * @param memory [B, S, D], as {@link #encode} gives it
   * @param sourceMask the padding of the source, as there
   * @return logits [B, N] of 1 to N tokens, N the model's length; float32
   */
  public Tensor lengthLogits(Tensor memory, Tensor sourceMask) {
    Tensor states = memory.detach();
    Tensor mean;
    Tensor lengths;
    if (sourceMask == null) {
      mean = states.mean(1, false);
      lengths = Tensor.full((double) states.size(1), DType.INT64, states.size(0));
    } else {
      Tensor kept = sourceMask.to(states.dtype()).unsqueeze(2);
      mean = states.mul(kept).sum(1, false).div(kept.sum(1, false));
      lengths = sourceMask.to(DType.INT64).sum(1, false);
    }
    Tensor known = mean.add(sourceLength.get().forward(lengths));
    return lengthHead.get().forward(known).to(DType.FLOAT32);
  }

  /** The decoder's weights begin with those of the encoder. */
  @Override
  protected String origin(String name) {
    return name.startsWith(TARGET) ? TRUNK + name.substring(TARGET.length()) : name;
  }

  @Override
  protected String details() {
    return String.format(
        Locale.ROOT,
        "%d + %d layers, width %d, vocabulary %d",
        config.encoder().layers(),
        config.decoderStack().layers(),
        config.encoder().width(),
        config.encoder().vocab());
  }
}
