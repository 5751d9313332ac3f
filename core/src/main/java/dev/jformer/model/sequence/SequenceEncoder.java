package dev.jformer.model.sequence;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.model.Block;
import dev.jformer.model.HasStack;
import dev.jformer.model.Model;
import dev.jformer.model.StackConfig;
import dev.jformer.model.TransformerStack;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.nn.temporal.StreamState;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * A classifier of sequences of vectors with the blocks of a Transformer, such as the Audio
 * Spectrogram Transformer (<a href="https://arxiv.org/abs/2104.01778">AST: Audio Spectrogram
 * Transformer</a>) with a patch for each frame: a linear layer makes a token of each frame, and the
 * mean of the states is classified. With causal blocks it has an answer after each frame, but it
 * does not stream.
 */
public final class SequenceEncoder extends SequenceModel {
  /**
   * Configuration; the defaults are a small bidirectional model.
   *
   * @param features F, the numbers in each frame
   * @param length T, the frames of a sequence
   * @param classes number of classes
   * @param causal whether a frame sees itself and earlier ones only
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int features, int length, int classes, boolean causal, @Flat StackConfig stack)
      implements SequenceModel.Config, HasStack<Config>, SequenceEncoderConfigBuilder.With {
    /** Defaults: four blocks of width 128. */
    public Config() {
      this(1, 64, 10, false, new StackConfig().withWidth(128));
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("features", features, 1);
      Checks.atLeast("length", length, 1);
      Checks.atLeast("classes", classes, 1);
      Checks.notNull("stack", stack);
    }

    @Override
    public String type() {
      return "sequence-encoder";
    }

    @Override
    public SequenceEncoder build() {
      return new SequenceEncoder(this);
    }

    @Override
    public int width() {
      return stack.width();
    }

    @Override
    public Config withStack(StackConfig stack) {
      return SequenceEncoderConfigBuilder.With.super.withStack(stack);
    }

    @Override
    public Config sized(int features, int length, int classes) {
      return with(c -> c.features(features).length(length).classes(classes));
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<TransformerStack<Block>> trunk;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public SequenceEncoder(Config config) {
    super(config);
    this.config = config;
    Initializer uniform = Initializer.uniformFanIn();
    Layer linear = new Linear(config.features(), config.width(), true, uniform);
    this.embedding = child("embedding", Layer.class, linear);
    TransformerStack.Setting setting =
        new TransformerStack.Setting(config.length()).with(s -> s.causal(config.causal()));
    this.trunk =
        child("trunk", TransformerStack.class, TransformerStack.of(config.stack(), setting));
    this.head = head();
  }

  @Override
  public Config config() {
    return config;
  }

  /** The blocks, first to last. */
  public List<Block> blocks() {
    return trunk.get().blocks();
  }

  @Override
  public boolean looksAhead() {
    return !config.causal();
  }

  @Override
  Tensor states(Tensor frames, StreamState state) {
    if (state != null) {
      throw new UnsupportedOperationException(
          "a sequence-encoder does not stream: expected a model such as lmuformer");
    }
    return trunk.get().forward(embedding.get().forward(frames), null, null);
  }

  @Override
  Tensor classify(Tensor means) {
    return head.get().forward(means);
  }
}
