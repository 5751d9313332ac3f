package dev.jformer.model.sequence;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.model.Model;
import dev.jformer.nn.BatchNorm;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.nn.temporal.LifNeuron;
import dev.jformer.nn.temporal.SpikeCount;
import dev.jformer.nn.temporal.StreamState;
import dev.jformer.nn.temporal.TemporalConvolution;
import dev.jformer.nn.temporal.TemporalLayer;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * The spiking version of {@link LmuFormer} (<a href="https://arxiv.org/abs/2402.04882">LMUFormer:
 * Low Complexity Yet Powerful Spiking Model With Legendre Memory Units</a>): its layers are linked
 * by spikes, S(x) = {@link LifNeuron}(BatchNorm(x)), and the residual stream by sums. Apart from
 * the first convolution and the memory's own matrix, products with weights become sums of the
 * weights that spikes reach; {@link SpikeCount} counts them.
 *
 * <pre>
 * x ← e + P S(e)             e = convolution S(convolution S(convolution S(convolution frames)))
 * x ← x + BatchNorm(O h)     s = S(x),  u = S(w·s),  m = S(the memory of u),  h = S(W [m; s])
 * x ← x + W₂ S(W₁ S(x))
 * </pre>
 *
 * <p>The frames of a sequence are the time steps of the neurons. The first neurons of the memory's
 * branch fire at half of the threshold, and the memory holds twice as many numbers as the width;
 * the classes are read from spikes. All as in the authors' model with residual sums of potentials.
 */
public final class SpikingLmuFormer extends SequenceModel {
  /** Numbers that a memory holds for each one of the width, if its order is not given. */
  private static final int ORDER = 2;

  /**
   * Configuration; the defaults are a small model.
   *
   * @param features F, the numbers in each frame
   * @param length T, the frames of a sequence
   * @param classes number of classes
   * @param shape of the network
   * @param neuron the neurons
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int features, int length, int classes, @Flat LmuShape shape, LifNeuron.Config neuron)
      implements SequenceModel.Config, SpikingLmuFormerConfigBuilder.With {
    /** Defaults. */
    public Config() {
      this(1, 64, 10, new LmuShape(), new LifNeuron.Config());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("features", features, 1);
      Checks.atLeast("length", length, 1);
      Checks.atLeast("classes", classes, 1);
      Checks.notNull("shape", shape);
      Checks.notNull("neuron", neuron);
    }

    @Override
    public int width() {
      return shape.width();
    }

    @Override
    public long unweightedProducts() {
      return shape.products(ORDER);
    }

    @Override
    public String type() {
      return "spiking-lmuformer";
    }

    @Override
    public SpikingLmuFormer build() {
      return new SpikingLmuFormer(this);
    }

    @Override
    public Config sized(int features, int length, int classes) {
      return with(c -> c.features(features).length(length).classes(classes));
    }
  }

  private final Config config;
  private final Slot<Embedding> embedding;
  private final List<Slot<Block>> blocks;
  private final Slot<Spiking> last;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public SpikingLmuFormer(Config config) {
    super(config);
    this.config = config;
    this.embedding = child("embedding", Embedding.class, new Embedding(config));
    List<Block> made = new ArrayList<>();
    for (int i = 0; i < config.shape().layers(); i++) {
      made.add(new Block(config));
    }
    this.blocks = children("blocks", Block.class, made);
    Spiking spikes = new Spiking(config.width(), config.neuron(), config.classes());
    this.last = child("last", Spiking.class, spikes);
    this.head = head();
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  Tensor states(Tensor frames, StreamState state) {
    Tensor x = embedding.get().run(frames, state);
    for (Slot<Block> block : blocks) {
      x = block.get().run(x, state);
    }
    return last.get().run(x, state);
  }

  @Override
  Tensor classify(Tensor means) {
    return head.get().forward(means);
  }

  /** Batch normalisation and neurons. */
  private static final class Spiking extends Module {
    private final Slot<Layer> norm;
    private final Slot<TemporalLayer> neurons;

    Spiking(int width, LifNeuron.Config neuron, int synapses) {
      this.norm = child("norm", Layer.class, new BatchNorm(width));
      this.neurons = child("neurons", TemporalLayer.class, new LifNeuron(neuron, synapses));
    }

    Tensor run(Tensor x, StreamState state) {
      return neurons.get().run(norm.get().forward(x), state);
    }
  }

  /** The convolutional embedding of frames. */
  private static final class Embedding extends Module {
    private final List<Slot<TemporalLayer>> convolutions;
    private final List<Slot<Spiking>> spikes;
    private final Slot<TemporalLayer> position;

    Embedding(Config config) {
      int width = config.width();
      List<TemporalLayer> layers = new ArrayList<>();
      List<Spiking> after = new ArrayList<>();
      for (int i = 0; i < config.shape().convolutions(); i++) {
        layers.add(
            new TemporalConvolution(i == 0 ? config.features() : width, width, LmuFormer.KERNEL));
        after.add(new Spiking(width, config.neuron(), LmuFormer.KERNEL * width));
      }
      this.convolutions = children("convolutions", TemporalLayer.class, layers);
      this.spikes = children("spikes", Spiking.class, after);
      this.position =
          child(
              "position",
              TemporalLayer.class,
              new TemporalConvolution(width, width, LmuFormer.KERNEL));
    }

    /** The spikes after each convolution go to the next one, those after the last to positions. */
    Tensor run(Tensor frames, StreamState state) {
      Tensor x = frames;
      Tensor fired = frames;
      for (int i = 0; i < convolutions.size(); i++) {
        x = convolutions.get(i).get().run(fired, state);
        fired = spikes.get(i).get().run(x, state);
      }
      return x.add(position.get().run(fired, state));
    }
  }

  /** A Legendre memory unit, then a channel mixer. */
  private static final class Block extends Module {
    private final Slot<Spiking> input;
    private final Slot<Layer> signal;
    private final Slot<Spiking> signalSpikes;
    private final Slot<TemporalLayer> memory;
    private final Slot<Spiking> memorySpikes;
    private final Slot<Layer> read;
    private final Slot<Spiking> readSpikes;
    private final Slot<Layer> out;
    private final Slot<Layer> outNorm;
    private final Slot<Spiking> upSpikes;
    private final Slot<Layer> up;
    private final Slot<Spiking> downSpikes;
    private final Slot<Layer> down;

    Block(Config config) {
      int width = config.width();
      int order = config.shape().order(ORDER);
      double window = config.shape().window(config.length());
      int hidden = config.shape().hidden();
      LifNeuron.Config neuron = config.neuron();
      LifNeuron.Config half = neuron.withThreshold(neuron.threshold() / 2);
      this.input = child("input", Spiking.class, new Spiking(width, half, width + 1));
      this.signal = child("signal", Layer.class, LmuFormer.linear(width, 1));
      this.signalSpikes = child("signalSpikes", Spiking.class, new Spiking(1, neuron, order));
      this.memory = child("memory", TemporalLayer.class, new MemoryLayer(order, window));
      this.memorySpikes = child("memorySpikes", Spiking.class, new Spiking(order, neuron, width));
      this.read = child("read", Layer.class, LmuFormer.linear((long) order + width, width));
      this.readSpikes = child("readSpikes", Spiking.class, new Spiking(width, neuron, width));
      this.out = child("out", Layer.class, LmuFormer.linear(width, width));
      this.outNorm = child("outNorm", Layer.class, new BatchNorm(width));
      this.upSpikes = child("upSpikes", Spiking.class, new Spiking(width, neuron, hidden));
      this.up = child("up", Layer.class, LmuFormer.linear(width, hidden));
      this.downSpikes = child("downSpikes", Spiking.class, new Spiking(hidden, neuron, width));
      this.down = child("down", Layer.class, LmuFormer.linear(hidden, width));
    }

    Tensor run(Tensor x, StreamState state) {
      Tensor s = input.get().run(x, state);
      Tensor u = signalSpikes.get().run(signal.get().forward(s), state);
      Tensor m = memorySpikes.get().run(memory.get().run(u, state), state);
      Tensor h = readSpikes.get().run(read.get().forward(Tensor.cat(2, m, s)), state);
      Tensor mixed = x.add(outNorm.get().forward(out.get().forward(h)));
      Tensor hidden = up.get().forward(upSpikes.get().run(mixed, state));
      return mixed.add(down.get().forward(downSpikes.get().run(hidden, state)));
    }
  }
}
