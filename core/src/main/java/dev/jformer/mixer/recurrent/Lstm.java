package dev.jformer.mixer.recurrent;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Long short-term memory, the recurrent network of <a
 * href="https://doi.org/10.1162/neco.1997.9.8.1735">Long Short-Term Memory</a> with the forget gate
 * of <a href="https://doi.org/10.1162/089976600300015015">Learning to Forget</a>. From token x and
 * state (h, c):
 *
 * <pre>
 * i, f, g, o = W x + U h + b
 * c' = σ(f) c + σ(i) tanh(g)
 * h' = σ(o) tanh(c')
 * y  = O h'
 * </pre>
 *
 * <p>The steps of a sequence follow one another, in libtorch's own loop. The output layer O is
 * ours, as other mixers have one. Forget gates start at σ(1), so that states last.
 */
public final class Lstm extends RecurrentMixer {
  private static final Operator LSTM = Operator.named("aten::lstm.input");
  private static final int HIDDEN = 0;
  private static final int CELL = 1;

  /**
   * Configuration.
   *
   * @param hidden H, the number of hidden units; 0 for the width of the model
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int hidden) implements TokenMixer.Config {
    /** Default: as many as the width. */
    public Config() {
      this(0);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("hidden", hidden, 0);
    }

    @Override
    public String type() {
      return "lstm";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Lstm(hidden == 0 ? context.width() : hidden, context);
    }
  }

  private final long hidden;
  private final Parameter input;
  private final Parameter recurrent;
  private final Parameter bias;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  Lstm(int hidden, BlockContext context) {
    super(context);
    this.hidden = hidden;
    double bound = 1 / Math.sqrt(hidden);
    Initializer uniform = shape -> Initializer.zeros().create(shape).uniform_(-bound, bound);
    this.input = parameter("input.weight", uniform.create(4L * hidden, context.width()));
    this.recurrent = parameter("recurrent.weight", uniform.create(4L * hidden, hidden));
    Tensor gates = Tensor.zeros(4L * hidden);
    gates.narrow(0, hidden, hidden).fill_(1);
    this.bias = parameter("bias", gates);
    this.out = child("out", Layer.class, context.residual(hidden, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  @Override
  Tensor mix(Tensor x, RecurrentState state) {
    Tensor none = x.select(1, 0).narrow(1, 0, 1).mul(0).expand(x.size(0), hidden).contiguous();
    boolean starts = state == null || state.get(HIDDEN) == null;
    Tensor h = starts ? none.zerosLike() : state.get(HIDDEN);
    Tensor c = starts ? none.zerosLike() : state.get(CELL);
    List<Tensor> weights =
        List.of(input.value(), recurrent.value(), bias.value(), bias.value().zerosLike());
    List<Tensor> results =
        LSTM.callAll(
            x.contiguous(),
            List.of(h.unsqueeze(0), c.unsqueeze(0)),
            weights,
            true,
            1,
            0.0,
            isTraining(),
            false,
            true);
    if (state != null) {
      state.set(HIDDEN, results.get(1).squeeze(0));
      state.set(CELL, results.get(2).squeeze(0));
    }
    return results.get(0);
  }

  @Override
  Tensor after(Tensor mixed) {
    return dropout.get().forward(out.get().forward(mixed));
  }

  @Override
  public State start(long batch, long capacity) {
    return new RecurrentState(2);
  }
}
