package dev.jformer.mixer.recurrent;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Long convolutions and gates in turns, of <a href="https://arxiv.org/abs/2302.10866">Hyena
 * Hierarchy: Towards Larger Convolutional Language Models</a>. One linear layer and a short causal
 * convolution make order + 1 sequences of the tokens; the last one, v, is gated by each of the
 * others, with a causal convolution over all earlier tokens between two gates:
 *
 * <pre>
 * v ← h_i * (x_i ⊙ v) + d_i (x_i ⊙ v)      for i = order - 1 … 1
 * y = O (x_0 ⊙ v)
 * </pre>
 *
 * <p>The filters h are not stored but computed, by a perceptron with sines of the position, times
 * an exponential window whose speed differs between channels. So the number of weights does not
 * depend on the length, and positions beyond the model's length have values too.
 *
 * <p>Whole sequences take O(T log² T). Decoding has no small state: it stores the gated tokens and
 * takes one weighted sum of them for each new token, as attention does.
 */
public final class Hyena extends RecurrentMixer {
  private static final CausalConvolution CONVOLUTION = new CausalConvolution(64);
  private static final int SHORT = 3;
  private static final int TAIL = 0;

  /** The window falls to this value at these shares of the model's length. */
  private static final double WINDOW_TARGET = 1e-2;

  private static final double FASTEST = 0.3;
  private static final double SLOWEST = 1.5;

  /**
   * Configuration.
   *
   * @param order number of gates, at least 2; one less is the number of long convolutions
   * @param filterWidth hidden units of the perceptron that computes the filters
   * @param bands number of frequencies of the position that it is given
   * @param frequency multiplies what its sines are taken of; filters start smooth if it is small
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int order, int filterWidth, int bands, double frequency)
      implements TokenMixer.Config {
    /** Defaults: two gates, 64 hidden units, 16 frequencies of the position. */
    public Config() {
      this(2, 64, 16, 10);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("order", order, 2);
      Checks.atLeast("filterWidth", filterWidth, 1);
      Checks.atLeast("bands", bands, 1);
      Checks.moreThan("frequency", frequency, 0);
    }

    @Override
    public String type() {
      return "hyena";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Hyena(this, context);
    }
  }

  private final int order;
  private final int bands;
  private final double frequency;
  private final int length;
  private final int width;
  private final Slot<Layer> in;
  private final Parameter shortWeight;
  private final Parameter shortBias;
  private final List<Parameter> filterWeights = new ArrayList<>();
  private final List<Parameter> filterBiases = new ArrayList<>();
  private final Parameter skip;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  Hyena(Config config, BlockContext context) {
    super(context);
    this.order = config.order();
    this.bands = config.bands();
    this.frequency = config.frequency();
    this.length = context.length();
    this.width = context.width();
    long parts = (order + 1L) * width;
    this.in = child("in", Layer.class, context.linear(width, parts));
    Initializer fanIn = Initializer.uniformFanIn();
    this.shortWeight = parameter("short.weight", fanIn.create(parts, 1, SHORT));
    this.shortBias = parameter("short.bias", Tensor.zeros(parts));
    long[] sizes = {
      1 + 2L * bands, config.filterWidth(), config.filterWidth(), config.filterWidth()
    };
    for (int i = 0; i + 1 < sizes.length; i++) {
      filterWeights.add(parameter("filter." + i + ".weight", fanIn.create(sizes[i + 1], sizes[i])));
      filterBiases.add(parameter("filter." + i + ".bias", Tensor.zeros(sizes[i + 1])));
    }
    filterWeights.add(
        parameter("filter.3.weight", fanIn.create((order - 1L) * width, config.filterWidth())));
    this.skip = parameter("skip", Initializer.normal(1).create(order - 1, width));
    this.out = child("out", Layer.class, context.residual(width, width));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /** The filters for the distances 0 … count - 1: [count, (order - 1) D]. */
  private Tensor filters(long count, DType dtype) {
    Tensor time =
        Tensor.arange(0, count).to(DType.FLOAT64).div(Math.max(1, length - 1)).unsqueeze(1);
    // Frequencies from 1e-4 to bands - 1 turns over the model's length, evenly.
    double step = bands == 1 ? 0 : (bands - 1 - 1e-4) / (bands - 1);
    Tensor turns = Tensor.arange(0, bands).to(DType.FLOAT64).mul(step).add(1e-4);
    Tensor angle = time.matmul(turns.unsqueeze(0)).mul(2 * Math.PI);
    Tensor x = Tensor.cat(1, time, angle.cos(), angle.sin().neg()).to(dtype);
    for (int i = 0; i < filterBiases.size(); i++) {
      Tensor sums = Functional.linear(x, filterWeights.get(i).value(), filterBiases.get(i).value());
      x = sums.mul(frequency).sin();
    }
    Tensor filters = Functional.linear(x, filterWeights.get(filterBiases.size()).value(), null);
    return filters.mul(window(time).to(dtype).repeat(1, order - 1));
  }

  /** The window of each channel: [count, D], float64. */
  private Tensor window(Tensor time) {
    double fast = -Math.log(WINDOW_TARGET) / FASTEST;
    double slow = -Math.log(WINDOW_TARGET) / SLOWEST;
    double step = (fast - slow) / Math.max(1, width - 1);
    Tensor speed = Tensor.arange(0, width).to(DType.FLOAT64).mul(step).add(slow);
    return time.matmul(speed.unsqueeze(0)).neg().exp();
  }

  @Override
  Tensor before(Tensor x) {
    return in.get().forward(x);
  }

  @Override
  Tensor mix(Tensor x, RecurrentState state) {
    List<Tensor> parts = shortConvolution(x, state).chunk(order + 1, -1);
    long seen = state == null ? 0 : state.length();
    Tensor filters = filters(seen + x.size(1), x.dtype());
    Tensor v = parts.get(order);
    for (int i = order - 1; i > 0; i--) {
      Tensor gated = parts.get(i).mul(v);
      Tensor filter = filters.narrow(1, (i - 1L) * width, width);
      Tensor direct = gated.mul(skip.value().select(0, i - 1).to(x.dtype()));
      v = longConvolution(gated, filter, i, state).add(direct);
    }
    return parts.get(0).mul(v);
  }

  private Tensor shortConvolution(Tensor x, RecurrentState state) {
    Tensor tail = state == null ? null : state.get(TAIL);
    Tensor all = tail == null ? Functional.pad(x, 0, 0, 0, SHORT - 1, 0) : Tensor.cat(1, tail, x);
    if (state != null) {
      state.set(TAIL, all.narrow(1, all.size(1) - SHORT + 1, SHORT - 1));
    }
    return Functional.conv1d(
            all.transpose(1, 2), shortWeight.value(), shortBias.value(), 1, 0, 1, x.size(2))
        .transpose(1, 2);
  }

  /** Sums all earlier tokens [B, T, D] by a filter [t, D] for t tokens so far. */
  private static Tensor longConvolution(Tensor x, Tensor filter, int place, RecurrentState state) {
    if (state == null) {
      return CONVOLUTION.channels(x, filter);
    }
    Tensor before = state.get(place);
    Tensor all = before == null ? x : Tensor.cat(1, before, x);
    state.set(place, all);
    if (x.size(1) == 1) {
      return all.mul(filter.flip(0)).sum(1, true);
    }
    return CONVOLUTION.channels(all, filter).narrow(1, all.size(1) - x.size(1), x.size(1));
  }

  @Override
  Tensor after(Tensor mixed) {
    return dropout.get().forward(out.get().forward(mixed));
  }

  @Override
  public State start(long batch, long capacity) {
    return new RecurrentState(order);
  }
}
