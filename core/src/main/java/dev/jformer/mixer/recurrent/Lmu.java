package dev.jformer.mixer.recurrent;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * A Legendre memory unit, the token mixer of <a href="https://arxiv.org/abs/2402.04882">LMUFormer:
 * Low Complexity Yet Powerful Spiking Model With Legendre Memory Units</a>. A few signals u are
 * computed from the tokens; a {@link LegendreMemory} holds the coefficients m of Legendre
 * polynomials of each during the last θ tokens; a layer reads these and the token:
 *
 * <pre>
 * u[t] = ReLU(W_u x[t])
 * m[t] = Ā m[t-1] + B̄ u[t]
 * y[t] = O ReLU(W_h [m[t]; x[t]])
 * </pre>
 *
 * <p>The memory has no trained weights and no nonlinearity inside, so whole sequences are computed
 * in parallel: convolved with the impulse response Ā^j B̄, in O(T log² T). Decoding keeps the d
 * numbers of each signal and costs d² products for it.
 *
 * <p>LMUFormer has one signal, as many numbers as the width, and the length of the sequence as θ,
 * which are the defaults here; language models gain from more signals of fewer numbers.
 */
public final class Lmu extends RecurrentMixer {
  /**
   * Configuration.
   *
   * @param order d, the numbers that the memory holds of each signal; 0 for the width of the model
   * @param window θ, the tokens that it looks back; 0 for the model's length
   * @param signals number of signals that are remembered
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int order, double window, int signals) implements TokenMixer.Config {
    /** Defaults: one signal, as many numbers as the width, the whole sequence. */
    public Config() {
      this(0, 0, 1);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("order", order, 0);
      Checks.atLeast("window", window, 0);
      Checks.atLeast("signals", signals, 1);
    }

    @Override
    public String type() {
      return "lmu";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Lmu(this, context);
    }
  }

  private final LegendreMemory memory;
  private final Slot<Layer> signal;
  private final Slot<Layer> read;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  Lmu(Config config, BlockContext context) {
    super(context);
    int width = context.width();
    int order = config.order() == 0 ? width : config.order();
    double window = config.window() == 0 ? context.length() : config.window();
    this.memory = new LegendreMemory(order, window);
    this.signal = child("signal", Layer.class, context.linear(width, config.signals()));
    long remembered = (long) config.signals() * order;
    this.read = child("read", Layer.class, context.linear(remembered + width, width));
    this.out = child("out", Layer.class, context.residual(width, width));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  Tensor mix(Tensor x, RecurrentState state) {
    Tensor signals = signal.get().forward(x).relu();
    Tensor remembered = memory.of(signals, state == null ? null : state.get(0));
    if (state != null) {
      state.set(0, remembered.select(1, x.size(1) - 1));
    }
    return Tensor.cat(2, remembered.flatten(2, 3), x);
  }

  @Override
  Tensor after(Tensor mixed) {
    return dropout.get().forward(out.get().forward(read.get().forward(mixed).relu()));
  }

  @Override
  public State start(long batch, long capacity) {
    return new RecurrentState(1);
  }
}
