package dev.jformer.studies.trial;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.TokenClassifier;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;

/** Configurations of small models and their training that studies share. */
public final class Small {
  private Small() {}

  /** The size of a language model; one for each scale says what a study trains. */
  public record Size(int layers, int width, int length, int heads) {}

  /** As {@link #language(int, int, int, int)}. */
  public static CausalLm.Config language(Size size) {
    return language(size.layers(), size.width(), size.length(), size.heads());
  }

  /** A language model with softmax attention, learned positions and plain perceptrons. */
  public static CausalLm.Config language(int layers, int width, int length, int heads) {
    return language(layers, width, length, new SoftmaxAttention.Config(heads, 0));
  }

  /** As above with another token mixer. */
  public static CausalLm.Config language(
      int layers, int width, int length, TokenMixer.Config mixer) {
    return language(layers, width, length, new LearnedPosition.Config(), mixer);
  }

  /** As above with other positions. */
  public static CausalLm.Config language(
      int layers, int width, int length, Position.Config position, TokenMixer.Config mixer) {
    return language(layers, width, length, position, mixer, new Mlp.Config(), new Linear.Config());
  }

  /** As above with other channel mixers and linear layers. */
  public static CausalLm.Config language(
      int layers,
      int width,
      int length,
      Position.Config position,
      TokenMixer.Config mixer,
      ChannelMixer.Config ffn,
      Projection projection) {
    return new CausalLm.Config()
        .withLength(length)
        .withStack(s -> s.layers(layers).width(width).position(position))
        .withBlock(b -> b.mixer(mixer).ffn(ffn).projection(projection));
  }

  /** A token mixer by itself, as the first block of a model without biases and positions has it. */
  public static TokenMixer mixer(TokenMixer.Config mixer, int width, int length, boolean causal) {
    int heads = mixer.heads();
    return mixer.build(
        new BlockConfig().withBias(false).context(width, 0, 1, length, causal, 1),
        new NoPosition.Config().build(width, heads, width / heads, length));
  }

  /** A classifier of nested lists with learned positions and plain perceptrons. */
  public static TokenClassifier.Config lists(
      int layers, int width, ListBatches problems, TokenMixer.Config mixer) {
    return new TokenClassifier.Config()
        .with(c -> c.vocab(ListBatches.VOCAB).labels(ListBatches.LABELS).length(problems.length()))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(b -> b.mixer(mixer));
  }

  /** A plain vision transformer for images of 32 x 32, with the mean of its tokens. */
  public static VisionTransformer.Config vision(int patch, int layers, int width, int heads) {
    return vision(patch, layers, width, new SoftmaxAttention.Config(heads, 0), new Mlp.Config());
  }

  /** A vision transformer for images of 32 x 32, with the mean of its tokens and plain patches. */
  public static VisionTransformer.Config vision(
      int patch, int layers, int width, TokenMixer.Config mixer, ChannelMixer.Config ffn) {
    VisionTransformer.Config plain = new VisionTransformer.Config();
    return plain
        .with(
            c ->
                c.size(32)
                    .patch(patch)
                    .stem(VisionTransformer.Stem.LINEAR)
                    .pool(VisionTransformer.Pool.MEAN))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(b -> b.mixer(mixer).ffn(ffn).bias(true).dropout(0));
  }

  /** Returns an untrained sentence encoder of bytes, in inference mode. */
  public static Encoder encoder(int layers, int width, int length) {
    Encoder.Config plain = new Encoder.Config();
    Encoder encoder =
        plain
            .with(
                c ->
                    c.labels(0)
                        .length(length)
                        .head(new Encoder.Head(false, new Norm.LayerNormConfig())))
            .withStack(s -> s.layers(layers).width(width))
            .withBlock(b -> b.bias(true).dropout(0))
            .build();
    encoder.train(false);
    return encoder;
  }

  /** Where a channel mixer with bias stands that is measured by itself. */
  public static BlockContext context(int width) {
    return context(width, new BlockContext.Init());
  }

  /** As above with another initialisation. */
  public static BlockContext context(int width, BlockContext.Init init) {
    return new BlockConfig().withInit(init).context(width, 0, 1, 8, false, 1);
  }

  /** A training with AdamW at learning rate 1e-3, warm-up and cosine decay, evaluated ten times. */
  public static TrainingConfig training(int steps, int batch, long seed) {
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(batch)
                    .evaluateEvery(Math.max(1, steps / 10))
                    .checkpointEvery(steps)
                    .seed(seed));
  }

  /** A fine-tuning with AdamW, warm-up and cosine decay, evaluated at the end. */
  public static TrainingConfig tuning(int steps, int batch, double rate, long seed) {
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(batch)
                    .learningRate(rate)
                    .schedule(new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 10), 0.1))
                    .evaluateEvery(steps)
                    .checkpointEvery(steps)
                    .seed(seed));
  }
}
