package dev.jformer.model.forecast;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.config.FormerNames;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Block;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.HasBlocks;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * The forecaster of <a href="https://arxiv.org/abs/2310.06625">iTransformer: Inverted Transformers
 * Are Effective for Time Series Forecasting</a>. The whole past of a variable is one token: {@code
 * h = W x[1..L] + b} for each variable, then Transformer blocks over the variables, then {@code ŷ =
 * V h + c}, the variable's whole future. Each window is normalised on its own. As variables have no
 * order there are no positions, and the model can forecast other variables, and other numbers of
 * them, than those it was trained on.
 *
 * <p>As in the authors' code the past of each calendar feature is a token too, whose output is
 * dropped; the future calendar is not used.
 */
public final class ITransformer extends ForecastModel {
  /**
   * Configuration; the defaults are the authors' for ETTh1.
   *
   * @param variates C, number of variables in training
   * @param calendar F, number of calendar features
   * @param lookBack L, number of past rows
   * @param horizon P, number of rows to forecast
   * @param layers number of blocks
   * @param width D
   * @param block the parts of each block; the mixer, not causal, mixes the variables
   */
  @AutoService(Model.Config.class)
  @FormerNames("inverted-forecaster")
  @RecordBuilder
  public record Config(
      int variates,
      int calendar,
      int lookBack,
      int horizon,
      int layers,
      int width,
      @Flat BlockConfig block)
      implements ForecastModel.Config, HasBlocks<Config>, ITransformerConfigBuilder.With {
    /** Defaults: two layers of width 256, from 96 rows to 96. */
    public Config() {
      this(
          7,
          4,
          96,
          96,
          2,
          256,
          new BlockConfig()
              .with(
                  b ->
                      b.mixer(new SoftmaxAttention.Config(8, 0))
                          .ffn(new Mlp.Config(Activation.GELU, 1, 0))
                          .placement(NormPlacement.POST)
                          .dropout(0.1)
                          .init(new BlockContext.Init(0.036, false))));
    }

    /** Checks the values. */
    public Config {
      ForecastModel.Config.check(variates, calendar, lookBack, horizon);
      Checks.atLeast("layers", layers, 1);
      Checks.atLeast("width", width, 1);
    }

    @Override
    public String type() {
      return "itransformer";
    }

    @Override
    public ITransformer build() {
      return new ITransformer(this);
    }

    @Override
    public Config sized(int variates, int calendar) {
      return with(c -> c.variates(variates).calendar(calendar));
    }

    @Override
    public Config withBlock(BlockConfig block) {
      return ITransformerConfigBuilder.With.super.withBlock(block);
    }
  }

  private final Config config;
  private final Slot<Layer> embedding;
  private final Slot<Layer> dropout;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> norm;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
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
      BlockContext context =
          config.block().context(width, layer, config.layers(), tokens, false, 1);
      made.add(Block.of(context, config.block(), none));
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
