package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Site;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * THOR's gate (arXiv 2110.04260): experts are drawn at random, all equally likely, in training and
 * in inference. It has nothing to learn; what makes experts agree is the consistency of two passes
 * in the training loss. Draws come from the library's generator.
 */
public final class RandomGate extends Gate {
  /** What shares one draw, or that none is made. */
  public enum Draw {
    /** Each token has its own. */
    TOKEN,
    /** The tokens of a sequence have one. */
    SEQUENCE,
    /** All tokens have one. */
    BATCH,
    /** None: all experts work on all tokens and the mean counts. */
    AVERAGE
  }

  /**
   * Configuration.
   *
   * @param training what shares a draw in training
   * @param inference the same in inference
   */
  @AutoService(Gate.Config.class)
  public record Config(Draw training, Draw inference) implements Gate.Config {
    /** One draw for a batch in training, and one for a sequence in inference. */
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
      return "random";
    }

    @Override
    public Gate build(Site site, int experts) {
      return new RandomGate(this, experts);
    }
  }

  private final int experts;
  private final Draw training;
  private Draw inference;

  RandomGate(Config config, int experts) {
    this.experts = experts;
    this.training = config.training();
    this.inference = config.inference();
  }

  /** Draws in another way in inference from now on. */
  public void infer(Draw draw) {
    this.inference = draw;
  }

  @Override
  Routing route(Rows rows) {
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
        Tensor all = Tensor.full(1, DType.FLOAT32, n, experts);
        yield Routing.where(all.gt(0), all.div(experts));
      }
    };
  }

  private Tensor draw(long count) {
    return Tensor.randint(0, experts, count);
  }
}
