package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.nn.BlockContext;
import dev.jformer.tensor.Tensor;

/**
 * The gate of THOR, <a href="https://arxiv.org/abs/2110.04260">Taming Sparsely Activated
 * Transformer with Stochastic Experts</a>, which draws experts at random. All are equally likely,
 * in training and in inference. It has nothing to learn; what makes experts agree is the
 * consistency of two passes in the training loss. Draws come from the library's generator.
 */
public final class ThorGate extends Gate {
  /** Which tokens share one draw. */
  public enum Draw {
    /** Each token has its own draw. */
    TOKEN,
    /** The tokens of a sequence share one draw. */
    SEQUENCE,
    /** All tokens share one draw. */
    BATCH,
    /** No draw: all experts work on all tokens, and their outputs are averaged. */
    AVERAGE
  }

  /**
   * Configuration.
   *
   * @param training which tokens share a draw in training
   * @param inference which tokens share a draw in inference
   */
  @AutoService(Gate.Config.class)
  @FormerNames("random")
  public record Config(Draw training, Draw inference) implements Gate.Config {
    /** Defaults: one draw for a batch in training, and one for a sequence in inference. */
    public Config() {
      this(Draw.BATCH, Draw.SEQUENCE);
    }

    /** Checks the values. */
    public Config {
      if (training == null || inference == null) {
        throw new IllegalArgumentException("training and inference must not be null");
      }
    }

    @Override
    public String type() {
      return "thor";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new ThorGate(this, experts);
    }
  }

  private final int experts;
  private final Draw training;
  private Draw inference;

  ThorGate(Config config, int experts) {
    this.experts = experts;
    this.training = config.training();
    this.inference = config.inference();
  }

  /** Sets which tokens share a draw in inference. */
  public void setInferenceDraw(Draw draw) {
    this.inference = draw;
  }

  @Override
  Routing route(RoutedRows rows) {
    long n = rows.count();
    return switch (isTraining() ? training : inference) {
      case BATCH -> Routing.single(experts, (int) draw(1).itemLong(), n);
      case TOKEN -> Routing.of(experts, draw(n).unsqueeze(1), null);
      case SEQUENCE -> {
        long sequences = n == 0 ? 1 : rows.sequences().max().itemLong() + 1;
        Tensor each = draw(sequences).indexSelect(0, rows.sequences());
        yield Routing.of(experts, each.unsqueeze(1), null);
      }
      case AVERAGE -> {
        Tensor equal = Tensor.full(1.0 / experts, rows.x().dtype(), n, experts);
        yield Routing.where(equal.gt(0), equal);
      }
    };
  }

  private Tensor draw(long count) {
    return Tensor.randint(0, experts, count);
  }
}
