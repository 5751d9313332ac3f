package dev.jformer.model.sequence;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.model.Model;
import dev.jformer.nn.BatchNorm;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.nn.temporal.StreamState;
import dev.jformer.nn.temporal.TemporalConvolution;
import dev.jformer.nn.temporal.TemporalLayer;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * The classifier of sequences of <a href="https://arxiv.org/abs/2402.04882">LMUFormer: Low
 * Complexity Yet Powerful Spiking Model With Legendre Memory Units</a>: convolutions over time make
 * the embedding of each frame, and a further one is added as its position. Blocks of a Legendre
 * memory unit and a channel mixer follow; the classes are read from the mean of the states:
 *
 * <pre>
 * x ← e + P e          e = four times BatchNorm(ReLU(convolution)); P a convolution
 * x ← x + BatchNorm(O h)      u = ReLU(w·x),  m = the memory of u,  h = ReLU(W [m; x])
 * x ← x + ReLU(BatchNorm(W₂ GELU(BatchNorm(W₁ x))))
 * </pre>
 *
 * <p>The memory holds one signal u of each block. Whole sequences are computed in parallel; as
 * {@link SequenceModel#stream} reads them, each frame costs the same and needs only what the layers
 * keep. Both give the same.
 *
 * <p>The authors' convolutions look one frame ahead, so that their model answers five frames late;
 * these look back only, which is the same but for the borders of a sequence.
 */
public final class LmuFormer extends SequenceModel {
  /** Frames that a convolution reads. */
  static final int KERNEL = 3;

  /** Numbers that a memory holds for each one of the width, if its order is not given. */
  private static final int ORDER = 1;

  /**
   * Configuration; the defaults are a small model.
   *
   * @param features F, the numbers in each frame
   * @param length T, the frames of a sequence
   * @param classes number of classes
   * @param shape of the network
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(int features, int length, int classes, @Flat LmuShape shape)
      implements SequenceModel.Config, LmuFormerConfigBuilder.With {
    /** Defaults. */
    public Config() {
      this(1, 64, 10, new LmuShape());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("features", features, 1);
      Checks.atLeast("length", length, 1);
      Checks.atLeast("classes", classes, 1);
      Checks.notNull("shape", shape);
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
      return "lmuformer";
    }

    @Override
    public LmuFormer build() {
      return new LmuFormer(this);
    }

    @Override
    public Config sized(int features, int length, int classes) {
      return with(c -> c.features(features).length(length).classes(classes));
    }
  }

  private final Config config;
  private final Slot<Embedding> embedding;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public LmuFormer(Config config) {
    super(config);
    this.config = config;
    this.embedding = child("embedding", Embedding.class, new Embedding(config));
    List<Block> made = new ArrayList<>();
    for (int i = 0; i < config.shape().layers(); i++) {
      made.add(new Block(config));
    }
    this.blocks = children("blocks", Block.class, made);
    this.head = head();
  }

  static Layer linear(long in, long out) {
    return new Linear(in, out, true, Initializer.uniformFanIn());
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
    return x;
  }

  @Override
  Tensor classify(Tensor means) {
    return head.get().forward(means);
  }

  /** The convolutional embedding of frames. */
  private static final class Embedding extends Module {
    private final List<Slot<TemporalLayer>> convolutions;
    private final List<Slot<Layer>> norms;
    private final Slot<TemporalLayer> position;

    Embedding(Config config) {
      List<TemporalLayer> layers = new ArrayList<>();
      List<Layer> after = new ArrayList<>();
      for (int i = 0; i < config.shape().convolutions(); i++) {
        int in = i == 0 ? config.features() : config.width();
        layers.add(new TemporalConvolution(in, config.width(), KERNEL));
        after.add(new BatchNorm(config.width()));
      }
      this.convolutions = children("convolutions", TemporalLayer.class, layers);
      this.norms = children("norms", Layer.class, after);
      this.position =
          child(
              "position",
              TemporalLayer.class,
              new TemporalConvolution(config.width(), config.width(), KERNEL));
    }

    Tensor run(Tensor frames, StreamState state) {
      Tensor x = frames;
      for (int i = 0; i < convolutions.size(); i++) {
        x = norms.get(i).get().forward(convolutions.get(i).get().run(x, state).relu());
      }
      return x.add(position.get().run(x, state));
    }
  }

  /** A Legendre memory unit, then a channel mixer. */
  private static final class Block extends Module {
    private final Slot<Layer> signal;
    private final Slot<TemporalLayer> memory;
    private final Slot<Layer> read;
    private final Slot<Layer> out;
    private final Slot<Layer> outNorm;
    private final Slot<Layer> up;
    private final Slot<Layer> upNorm;
    private final Slot<Layer> down;
    private final Slot<Layer> downNorm;

    Block(Config config) {
      int width = config.width();
      int order = config.shape().order(ORDER);
      double window = config.shape().window(config.length());
      int hidden = config.shape().hidden();
      this.signal = child("signal", Layer.class, linear(width, 1));
      this.memory = child("memory", TemporalLayer.class, new MemoryLayer(order, window));
      this.read = child("read", Layer.class, linear((long) order + width, width));
      this.out = child("out", Layer.class, linear(width, width));
      this.outNorm = child("outNorm", Layer.class, new BatchNorm(width));
      this.up = child("up", Layer.class, linear(width, hidden));
      this.upNorm = child("upNorm", Layer.class, new BatchNorm(hidden));
      this.down = child("down", Layer.class, linear(hidden, width));
      this.downNorm = child("downNorm", Layer.class, new BatchNorm(width));
    }

    Tensor run(Tensor x, StreamState state) {
      Tensor u = signal.get().forward(x).relu();
      Tensor m = memory.get().run(u, state);
      Tensor h = read.get().forward(Tensor.cat(2, m, x)).relu();
      Tensor mixed = x.add(outNorm.get().forward(out.get().forward(h)));
      Tensor hidden = Functional.gelu(upNorm.get().forward(up.get().forward(mixed)));
      return mixed.add(downNorm.get().forward(down.get().forward(hidden)).relu());
    }
  }
}
