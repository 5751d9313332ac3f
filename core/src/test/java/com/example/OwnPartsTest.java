package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Slot;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.Objective;
import dev.jformer.train.Task;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Parts that a user writes need nothing but what is public or protected: this package sees no more.
 */
@ExtendWith(Scoped.class)
class OwnPartsTest {
  // ---- attention: the example in Attention's Javadoc

  static final class TemperatureAttention extends Attention {
    record Config(int heads) implements TokenMixer.Config {
      Config {
        checkHeads(heads, 0);
      }

      @Override
      public String type() {
        return "temperature";
      }

      @Override
      public TokenMixer build(BlockContext context, Position position) {
        return new TemperatureAttention(heads, context, position);
      }
    }

    private final Parameter temperature;

    TemperatureAttention(int heads, BlockContext context, Position position) {
      super(heads, 0, context, position);
      this.temperature = parameter("temperature", Tensor.ones(heads, 1, 1));
    }

    @Override
    protected Tensor attend(Heads h, AttentionMask mask) {
      return SoftmaxAttention.fused(sharpened(h), mask);
    }

    @Override
    protected Tensor weights(Heads h, AttentionMask mask) {
      return super.weights(sharpened(h), mask);
    }

    private Heads sharpened(Heads h) {
      return new Heads(h.query().mul(temperature.value()), h.key(), h.value());
    }
  }

  /** Every hook at once, each of which changes something. */
  static final class HookedAttention extends Attention {
    HookedAttention(BlockContext context, Position position) {
      super(2, 1, 3 + 1, context, position); // the fourth part is not used
      if (context.causal()) {
        refuseBias();
      }
    }

    @Override
    protected Tensor prepare(Tensor qkv, Tensor paddingMask, State state) {
      return qkv.mul(2);
    }

    @Override
    protected Heads split(Tensor all) {
      List<Tensor> parts = all.split(1, heads(), groups(), groups());
      return new Heads(parts.get(0), parts.get(1), parts.get(2));
    }

    /** The definition, from the mask's two halves. */
    @Override
    protected Tensor attend(Heads h, AttentionMask mask) {
      long queries = h.query().size(2);
      long keys = h.key().size(2);
      Tensor logits = h.query().matmul(repeatGroups(h.key()).t()).mul(1 / Math.sqrt(headDim()));
      Tensor bias = mask.bias(queries, keys);
      Tensor allowed = mask.allowed(queries, keys);
      Tensor biased = bias == null ? logits : logits.add(bias);
      Tensor seen = allowed == null ? biased : biased.maskedFill(allowed.not(), -1e30);
      return seen.softmax(-1).matmul(repeatGroups(h.value()));
    }

    @Override
    protected Tensor finish(Tensor result, Tensor x) {
      return result.mul(x.mean(2, true).unsqueeze(1));
    }
  }

  @Test
  void anAttentionVariantKeepsThePromisesOfTheFrame() {
    for (Position.Config position :
        List.of(new NoPosition.Config(), new Rope.Config(), new Alibi.Config())) {
      TokenMixer causal = temperature(Sites.causal(16), position);
      MixerChecks.causal(causal, 16);
      MixerChecks.streams(causal, 16);
      MixerChecks.ignoresPadding(causal, 16);
      MixerChecks.ignoresPadding(temperature(Sites.bidirectional(16), position), 16);
    }
  }

  @Test
  void theTemperatureOfOneIsSoftmaxAttention() {
    TokenMixer own = temperature(Sites.causal(16), new Rope.Config());
    TokenMixer plain =
        new SoftmaxAttention.Config(4, 0)
            .build(Sites.causal(16), new Rope.Config().build(16, 4, 4, 64));
    plain.parameters().forEach((name, p) -> p.copyFrom(own.parameters().get(name).value()));
    Tensor x = Tensor.randn(2, 9, 16);
    Close.assertClose(plain.forward(x, null).toDoubles(), own.forward(x, null), 1e-6);
    own.parameters().get("temperature").copyFrom(Tensor.ones(4, 1, 1).mul(3));
    Tensor sharper = own.weights(x, null);
    assertTrue(
        sharper.max().item() <= 1.0001
            && sharper.square().sum().item() > plain.weights(x, null).square().sum().item(),
        "a higher temperature gives sharper weights");
  }

  @Test
  void everyHookOfAttentionCanBeOverridden() {
    Position none = new NoPosition.Config().build(16, 2, 8, 64);
    TokenMixer mixer = new HookedAttention(Sites.causal(16), none);
    MixerChecks.causal(mixer, 16);
    MixerChecks.streams(mixer, 16);
    Position alibi = new Alibi.Config().build(16, 2, 8, 64);
    MixerChecks.ignoresPadding(new HookedAttention(Sites.bidirectional(16), alibi), 16);
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> new HookedAttention(Sites.causal(16), alibi));
    assertTrue(refused.getMessage().startsWith("HookedAttention takes no biases"));
  }

  private static TokenMixer temperature(BlockContext context, Position.Config position) {
    return new TemperatureAttention.Config(4).build(context, position.build(16, 4, 4, 64));
  }

  // ---- a token mixer from nothing

  /** The mean of the tokens so far. */
  static final class RunningMean extends TokenMixer {
    record Config() implements TokenMixer.Config {
      @Override
      public String type() {
        return "running-mean";
      }

      @Override
      public TokenMixer build(BlockContext context, Position position) {
        if (!context.causal()) {
          throw new IllegalArgumentException("running-mean needs a causal model");
        }
        return new RunningMean();
      }
    }

    @Override
    public Tensor forward(Tensor x, Tensor paddingMask) {
      Tensor seen = paddingMask == null ? Tensor.ones(1, x.size(1)) : paddingMask.to(x.dtype());
      Tensor sum = x.mul(seen.unsqueeze(2)).cumsum(1);
      return sum.div(seen.cumsum(1).clamp(1, 1e30).unsqueeze(2));
    }

    @Override
    public State start(long batch, long capacity) {
      return new Sum();
    }

    @Override
    public Tensor step(Tensor x, State state) {
      return ((Sum) state).add(x);
    }

    private static final class Sum implements State {
      private Tensor sum;
      private long count;

      Tensor add(Tensor x) {
        Tensor sums = sum == null ? x.cumsum(1) : x.cumsum(1).add(sum);
        Tensor counts = Tensor.arange(count + 1, count + x.size(1) + 1).to(x.dtype()).unsqueeze(1);
        close();
        sum = sums.narrow(1, x.size(1) - 1, 1).copy().keep();
        count += x.size(1);
        return sums.div(counts);
      }

      @Override
      public long length() {
        return count;
      }

      @Override
      public long bytes() {
        return sum == null ? 0 : sum.elements() * sum.dtype().bytes();
      }

      @Override
      public void close() {
        if (sum != null) {
          sum.close();
        }
      }
    }
  }

  @Test
  void aTokenMixerNeedsNoFrame() {
    TokenMixer mixer = new RunningMean.Config().build(Sites.causal(8), null);
    MixerChecks.causal(mixer, 8);
    MixerChecks.streams(mixer, 8);
    MixerChecks.ignoresPadding(mixer, 8);
  }

  // ---- a channel mixer, and linear layers

  /** Two linear layers with a sine between them. */
  static final class SineMlp extends ChannelMixer {
    record Config(int hidden) implements ChannelMixer.Config {
      @Override
      public String type() {
        return "sine";
      }

      @Override
      public ChannelMixer build(BlockContext context) {
        return new SineMlp(hidden, context);
      }
    }

    private final Slot<Layer> up;
    private final Slot<Layer> down;

    SineMlp(int hidden, BlockContext context) {
      this.up = child("up", Layer.class, context.linear(context.width(), hidden));
      this.down = child("down", Layer.class, context.residual(hidden, context.width()));
    }

    @Override
    public Tensor forward(Tensor x) {
      return down.get().forward(up.get().forward(x).sin());
    }
  }

  /** Plain matrices with a learned factor. */
  record Gained() implements Projection {
    @Override
    public String type() {
      return "gained";
    }

    @Override
    public Layer build(long in, long out, boolean bias, Initializer initializer) {
      return new GainedLinear(in, out, bias, initializer);
    }
  }

  static final class GainedLinear extends Layer {
    private final Slot<Layer> linear;
    private final Parameter gain;

    GainedLinear(long in, long out, boolean bias, Initializer initializer) {
      this.linear = child("linear", Layer.class, new Linear(in, out, bias, initializer));
      this.gain = parameter("gain", Tensor.ones(1));
    }

    @Override
    public Tensor forward(Tensor x) {
      return linear.get().forward(x).mul(gain.value());
    }
  }

  private static CausalLm.Config small() {
    return (CausalLm.Config)
        Configs.parse(
            "{\"model\":\"causal-lm\",\"vocab\":16,\"layers\":2,\"width\":16,\"length\":32}",
            Model.Config.class);
  }

  @Test
  void aModelTakesPartsOfAnyOrigin() {
    CausalLm.Config own =
        Configs.replace(small(), TokenMixer.Config.class, m -> new TemperatureAttention.Config(4));
    own = Configs.replace(own, ChannelMixer.Config.class, m -> new SineMlp.Config(24));
    own = Configs.replace(own, Projection.class, p -> new Gained());
    Random.seed(3);
    try (CausalLm model = own.build()) {
      assertTrue(
          model
              .parameters()
              .keySet()
              .containsAll(
                  List.of(
                      "blocks.1.mixer.temperature",
                      "blocks.0.mixer.qkv.gain",
                      "blocks.0.ffn.up.linear.weight")),
          () -> "" + model.parameters().keySet());
      Tensor ids = Tensor.randint(0, 16, 2, 12);
      model.logits(ids).logSoftmax(-1).mean().backward();
      model.parameters().forEach((name, p) -> assertTrue(moves(p), name + " has a gradient"));
      assertTrue(
          Configs.toJson(model.config()).contains("\"temperature\""), "its configuration is shown");
    }
  }

  private static boolean moves(Parameter p) {
    return p.value().grad() != null && p.value().grad().isFinite().all();
  }

  // ---- a compression

  /** Leaves one bit of each weight: its sign, times the mean size of the matrix. */
  record Signs() implements Compression {
    @Override
    public String type() {
      return "signs";
    }

    @Override
    public Needs needs() {
      return Needs.NOTHING;
    }

    @Override
    public Model apply(Model model, CalibrationData calibration) {
      Model copy = ModelRebuilder.rebuilt(model, model.config());
      ModelRebuilder.all(copy, Linear.class).values().forEach(linear -> binarise(linear.weight()));
      return copy;
    }

    private static void binarise(Parameter weight) {
      try (Mode mode = Autograd.noGrad()) {
        Tensor value = weight.value();
        weight.copyFrom(value.sign().mul(value.abs().mean()));
      }
    }
  }

  @Test
  void aCompressionMakesAModelOfItsOwn() {
    try (CausalLm model = small().build();
        CausalLm signs = (CausalLm) new Signs().apply(model, null)) {
      Tensor ids = Tensor.randint(0, 16, 1, 8);
      assertFalse(model.logits(ids).sameAs(signs.logits(ids)));
      Tensor weight = signs.parameters().get("blocks.0.ffn.up.weight").value();
      assertEquals(weight.abs().max().item(), weight.abs().min().item());
    }
  }

  // ---- an objective

  /** The task's loss, smoothed from below: |loss - level| + level (Flooding). */
  record Flooding(double level) implements Objective {
    @Override
    public String type() {
      return "flooding";
    }

    @Override
    public Task of(Task task) {
      return new ForwardingTask(task) {
        @Override
        public Tensor loss(long index) {
          return task.loss(index).sub(level).abs().add(level);
        }
      };
    }
  }

  @Test
  void anObjectiveTakesThePlaceOfTheLoss() {
    Task task =
        new Task() {
          @Override
          public Tensor loss(long index) {
            return Tensor.scalar((double) index);
          }

          @Override
          public long unitsPerBatch() {
            return 1;
          }

          @Override
          public String unit() {
            return "batches";
          }

          @Override
          public Metrics evaluate() {
            return Metrics.ofLoss(7, "nats");
          }
        };
    Task flooded = new Flooding(2).of(task);
    assertEquals(5, flooded.loss(5).item());
    assertEquals(4, flooded.loss(0).item());
    assertEquals(7, flooded.evaluate().primary().value());
  }
}
