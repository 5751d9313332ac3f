package dev.jformer.model.forecast;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Block;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The forecaster of <a href="https://arxiv.org/abs/2310.06625">iTransformer: Inverted Transformers
 * Are Effective for Time Series Forecasting</a>. The whole past of a variable is one token. Tokens
 * are mixed across variables and transformed each by itself; a linear layer makes of each the
 * variable's whole future. Windows are normalised each for itself. As variables have no order there
 * are no positions, and any number of variables can be forecast, also others than those trained on.
 *
 * <p>As in the authors' code each calendar feature's past is a token too, whose output is dropped;
 * the calendar of the future is not used.
 */
public final class ITransformer extends Forecaster {
  /**
   * Configuration; the defaults are the authors' for ETTh1.
   *
   * @param variates C, number of variables it is trained on
   * @param calendar F, number of calendar features
   * @param lookBack L, rows it sees
   * @param horizon P, rows it forecasts
   * @param layers number of blocks
   * @param width D
   * @param mixer mixes the variables' tokens, each seeing all others
   * @param ffn the channel mixer of every block
   * @param norm the normalisation
   * @param placement where blocks normalise
   * @param dropout probability, on the tokens and at the end of each half of a block
   * @param init how the weights of the blocks start
   * @param projection what the linear layers of the blocks are
   */
  @AutoService(Model.Config.class)
  @FormerNames("inverted-forecaster")
  public record Config(
      int variates,
      int calendar,
      int lookBack,
      int horizon,
      int layers,
      int width,
      TokenMixer.Config mixer,
      ChannelMixer.Config ffn,
      Norm.Config norm,
      NormPlacement placement,
      double dropout,
      BlockContext.Init init,
      Projection projection)
      implements Forecaster.Config {
    /** Two layers of width 256 from 96 rows to 96. */
    public Config() {
      this(
          7,
          4,
          96,
          96,
          2,
          256,
          new SoftmaxAttention.Config(8, 0),
          new Mlp.Config(Activation.GELU, 1, 0),
          new Norm.LayerNormConfig(),
          NormPlacement.POST,
          0.1,
          new BlockContext.Init(0.036, false),
          new Linear.Config());
    }

    /** Checks the values. */
    public Config {
      Forecaster.Config.check(variates, calendar, lookBack, horizon);
      if (layers < 1 || width < 1) {
        throw new IllegalArgumentException(
            "layers is " + layers + " and width " + width + ": expected at least 1");
      }
      if (!(dropout >= 0 && dropout < 1)) {
        throw new IllegalArgumentException(
            "dropout is " + dropout + ": expected a probability in [0, 1)");
      }
      for (Object part : new Object[] {mixer, ffn, norm, placement, init, projection}) {
        if (part == null) {
          throw new IllegalArgumentException(
              "mixer, ffn, norm, placement, init and projection must not be null");
        }
      }
    }

    @Override
    public String type() {
      return "itransformer";
    }

    @Override
    public ITransformer build() {
      return new ITransformer(this);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<Layer> dropout;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> norm;
  private final Slot<Layer> head;

  /** A model with freshly drawn weights. */
  public ITransformer(Config config) {
    this.config = config;
    int width = config.width();
    int heads = config.mixer().heads();
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + width);
    }
    int tokens = config.variates() + config.calendar();
    Initializer uniform = Initializer.uniformFanIn();
    this.embedding =
        child("embedding", Layer.class, new Linear(config.lookBack(), width, true, uniform));
    this.dropout = child("dropout", Layer.class, new Dropout(config.dropout()));
    Position none = new NoPosition.Config().build(width, heads, width / heads, tokens);
    List<Block> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      BlockContext site =
          new BlockContext(
              width,
              layer,
              config.layers(),
              tokens,
              false,
              true,
              config.dropout(),
              config.init(),
              config.projection());
      made.add(
          Block.of(site, config.placement(), config.norm(), config.mixer(), config.ffn(), none));
    }
    this.blocks = children("blocks", Block.class, made);
    this.norm = child("norm", Layer.class, config.norm().build(width));
    this.head = child("head", Layer.class, new Linear(width, config.horizon(), true, uniform));
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  public boolean takesOtherVariates() {
    return true;
  }

  @Override
  Tensor predict(Tensor past, Tensor pastCalendar, Tensor futureCalendar) {
    InstanceNorm scale = InstanceNorm.of(past);
    Tensor seen = scale.apply(past);
    Tensor rows = config.calendar() == 0 ? seen : Tensor.cat(2, seen, pastCalendar);
    Tensor x = dropout.get().forward(embedding.get().forward(rows.transpose(1, 2)));
    for (Slot<Block> block : blocks) {
      x = block.get().forward(x, null);
    }
    Tensor variables = norm.get().forward(x).narrow(1, 0, past.size(2));
    return scale.revert(head.get().forward(variables).transpose(1, 2));
  }
}
