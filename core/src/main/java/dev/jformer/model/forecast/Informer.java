package dev.jformer.model.forecast;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.config.FormerNames;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.sparse.ProbSparseAttention;
import dev.jformer.model.Block;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.DecoderBlock;
import dev.jformer.model.HasBlocks;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.CircularConvolution;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Slot;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Sinusoidal;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * The forecaster of <a href="https://arxiv.org/abs/2012.07436">Informer: Beyond Efficient
 * Transformer for Long Sequence Time-Series Forecasting</a>, or the same with another mixer: an
 * encoder and a decoder over time steps, in which each row of all variables is a token. With
 * softmax attention and without distilling it is that paper's baseline, the plain Transformer.
 *
 * <p>A token is the sum of a circular convolution of width 3 over the rows, the sinusoidal
 * position, and a linear map of the calendar. The encoder may halve the length between its blocks
 * (distilling). The decoder reads the last known rows and zeros for the rows to forecast, all at
 * once (generative decoding); its tokens attend to earlier ones and to all of the encoder's.
 */
public final class Informer extends ForecastModel {
  /**
   * Configuration; the defaults are those of the paper.
   *
   * @param variates C, number of variables
   * @param calendar F, number of calendar features
   * @param lookBack L, number of past rows
   * @param horizon P, number of rows to forecast
   * @param label number of last past rows that the decoder's input begins with, at most L
   * @param encoderLayers blocks of the encoder
   * @param decoderLayers blocks of the decoder
   * @param width D
   * @param crossHeads heads of the decoder's attention to the encoder
   * @param distil whether the encoder halves the length between its blocks
   * @param instanceNorm whether each window is normalised on its own, which is not done in the
   *     paper
   * @param block the parts of each block; the mixer must support causal use, for the decoder
   */
  @AutoService(Model.Config.class)
  @FormerNames("sequence-forecaster")
  @RecordBuilder
  public record Config(
      int variates,
      int calendar,
      int lookBack,
      int horizon,
      int label,
      int encoderLayers,
      int decoderLayers,
      int width,
      int crossHeads,
      boolean distil,
      boolean instanceNorm,
      @Flat BlockConfig block)
      implements ForecastModel.Config, HasBlocks<Config>, InformerConfigBuilder.With {
    /** Defaults: from 96 rows to 24. */
    public Config() {
      this(
          7,
          4,
          96,
          24,
          48,
          2,
          1,
          512,
          8,
          true,
          false,
          new BlockConfig()
              .with(
                  b ->
                      b.mixer(new ProbSparseAttention.Config())
                          .ffn(new Mlp.Config(Activation.GELU, 4, 0))
                          .placement(NormPlacement.POST)
                          .dropout(0.05)
                          .init(new BlockContext.Init(0.025, false))));
    }

    /** Checks the values. */
    public Config {
      ForecastModel.Config.check(variates, calendar, lookBack, horizon);
      Checks.check(
          label >= 0 && label <= lookBack, "label", label, "at most lookBack = " + lookBack);
      Checks.atLeast("encoderLayers", encoderLayers, 1);
      Checks.atLeast("decoderLayers", decoderLayers, 1);
      Checks.check(width >= 2 && width % 2 == 0, "width", width, "an even number");
      Checks.atLeast("crossHeads", crossHeads, 1);
    }

    @Override
    public String type() {
      return "informer";
    }

    @Override
    public Informer build() {
      return new Informer(this);
    }

    @Override
    public Config sized(int variates, int calendar) {
      return with(c -> c.variates(variates).calendar(calendar));
    }

    @Override
    public Config withBlock(BlockConfig block) {
      return InformerConfigBuilder.With.super.withBlock(block);
    }

    BlockContext context(int layer, int layers, int length, boolean causal) {
      return block.context(width, layer, layers, length, causal, 1);
    }
  }

  private final Config config;
  private final Slot<Embedding> past;
  private final Slot<Embedding> future;
  private final List<Slot<Block>> encoder;
  private final List<Slot<Layer>> distilling;
  private final Slot<Layer> encoderNorm;
  private final List<Slot<DecoderBlock>> decoder;
  private final Slot<Layer> decoderNorm;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public Informer(Config config) {
    this.config = config;
    int heads = config.mixer().heads();
    if (config.width() % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + config.width());
    }
    this.past = child("past", Embedding.class, new Embedding(config, config.lookBack()));
    int decoded = config.label() + config.horizon();
    this.future = child("future", Embedding.class, new Embedding(config, decoded));
    Position none =
        new NoPosition.Config()
            .build(config.width(), heads, config.width() / heads, config.lookBack());
    Norm.Config norm = config.norm();
    List<Block> encoding = new ArrayList<>();
    List<Layer> halving = new ArrayList<>();
    for (int i = 0; i < config.encoderLayers(); i++) {
      BlockContext context = config.context(i, config.encoderLayers(), config.lookBack(), false);
      encoding.add(Block.of(context, config.block(), none));
      if (config.distil() && i + 1 < config.encoderLayers()) {
        halving.add(new DistillingLayer(config.width()));
      }
    }
    this.encoder = children("encoder", Block.class, encoding);
    this.distilling = children("distilling", Layer.class, halving);
    this.encoderNorm = child("encoderNorm", Layer.class, norm.build(config.width()));
    List<DecoderBlock> decoding = new ArrayList<>();
    for (int i = 0; i < config.decoderLayers(); i++) {
      BlockContext context = config.context(i, config.decoderLayers(), decoded, true);
      decoding.add(new DecoderBlock(context, config.block(), config.crossHeads(), none));
    }
    this.decoder = children("decoder", DecoderBlock.class, decoding);
    this.decoderNorm = child("decoderNorm", Layer.class, norm.build(config.width()));
    this.head =
        child(
            "head",
            Layer.class,
            new Linear(config.width(), config.variates(), true, Initializer.uniformFanIn()));
  }

  @Override
  public Config config() {
    return config;
  }

  @Override
  Tensor predict(Tensor known, Tensor pastCalendar, Tensor futureCalendar) {
    InstanceNorm scale = config.instanceNorm() ? InstanceNorm.of(known) : null;
    Tensor seen = scale == null ? known : scale.apply(known);
    Tensor zeros = Tensor.zeros(seen.dtype(), seen.size(0), config.horizon(), seen.size(2));
    Tensor forecast =
        decode(
                encode(seen, pastCalendar),
                seen,
                zeros.to(seen.device()),
                pastCalendar,
                futureCalendar)
            .narrow(1, config.label(), config.horizon());
    return scale == null ? forecast : scale.revert(forecast);
  }

  /**
   * Forecasts one row at a time, each from the forecasts before it (dynamic decoding), to compare
   * the speed with that of {@link #forecast}.
   */
  public Tensor forecastStepByStep(Tensor known, Tensor pastCalendar, Tensor futureCalendar) {
    InstanceNorm scale = config.instanceNorm() ? InstanceNorm.of(known) : null;
    Tensor seen = scale == null ? known : scale.apply(known);
    Tensor memory = encode(seen, pastCalendar);
    Tensor rows = null;
    for (int step = 0; step < config.horizon(); step++) {
      Tensor before = rows;
      int at = step;
      rows =
          Scope.tidy(
              () -> {
                Tensor zero = Tensor.zeros(seen.dtype(), seen.size(0), 1, seen.size(2));
                Tensor open = before == null ? zero : Tensor.cat(1, before, zero);
                Tensor days = futureCalendar.narrow(1, 0, at + 1L);
                Tensor next =
                    decode(memory, seen, open, pastCalendar, days)
                        .narrow(1, config.label() + (long) at, 1);
                return before == null ? next : Tensor.cat(1, before, next);
              });
    }
    return scale == null ? rows : scale.revert(rows);
  }

  private Tensor encode(Tensor seen, Tensor calendar) {
    Tensor x = past.get().forward(seen, calendar);
    for (int i = 0; i < encoder.size(); i++) {
      x = encoder.get(i).get().forward(x, null);
      if (i < distilling.size()) {
        x = distilling.get(i).get().forward(x);
      }
    }
    return encoderNorm.get().forward(x);
  }

  /**
   * Computes the decoder's output for the last past rows and the rows to forecast: [B, label +
   * more, C].
   */
  private Tensor decode(
      Tensor memory, Tensor seen, Tensor more, Tensor pastCalendar, Tensor futureCalendar) {
    long from = (long) config.lookBack() - config.label();
    Tensor rows = Tensor.cat(1, seen.narrow(1, from, config.label()), more);
    Tensor days = Tensor.cat(1, pastCalendar.narrow(1, from, config.label()), futureCalendar);
    Tensor x = future.get().forward(rows, days);
    for (Slot<DecoderBlock> block : decoder) {
      x = block.get().forward(x, block.get().read(memory, null));
    }
    return head.get().forward(decoderNorm.get().forward(x));
  }

  /** The embedding of rows as tokens. */
  private static final class Embedding extends Module {
    private final Slot<Layer> values;
    private final Slot<Layer> calendar;
    private final Slot<Position> position;
    private final Slot<Layer> dropout;

    Embedding(Config config, int length) {
      this.values =
          child(
              "values",
              Layer.class,
              new CircularConvolution(
                  config.variates(),
                  config.width(),
                  Initializer.normal(Math.sqrt(2.0 / (3 * config.variates())))));
      this.calendar =
          config.calendar() == 0
              ? null
              : child(
                  "calendar",
                  Layer.class,
                  new Linear(config.calendar(), config.width(), false, Initializer.uniformFanIn()));
      this.position =
          child(
              "position",
              Position.class,
              new Sinusoidal.Config().build(config.width(), 1, config.width(), length));
      this.dropout = child("dropout", Layer.class, new Dropout(config.dropout()));
    }

    /** Embeds rows [B, T, C] and their calendar [B, T, F] as tokens [B, T, D]. */
    Tensor forward(Tensor rows, Tensor days) {
      Tensor x = position.get().embed(values.get().forward(rows), 0);
      return dropout.get().forward(calendar == null ? x : x.add(calendar.get().forward(days)));
    }
  }
}
